// GPT-2 training steps on request in llm.c (train_gpt2.c, built by against_peers): a line on stdin runs one step and
// prints its seconds. The weights are random numbers in a file of its own format.
//   step_llmc LAYERS WIDTH HEADS VOCABULARY SEQUENCES LENGTH
#include <sys/resource.h>

#define TESTING
#include "train_gpt2.c"

static void write_weights(const char *path, const int *dims) {
  int header[256] = {20240326, 3, dims[0], dims[1], dims[2], dims[3], dims[4], dims[5]};
  GPT2Config config = {dims[0], dims[1], dims[5], dims[2], dims[3], dims[4]};
  size_t sizes[NUM_PARAMETER_TENSORS], count = 0;
  fill_in_parameter_sizes(sizes, config);
  for (int i = 0; i < NUM_PARAMETER_TENSORS; i++) count += sizes[i];
  FILE *file = fopen(path, "wb");
  fwrite(header, sizeof(int), 256, file);
  for (size_t i = 0; i < count; i++) {
    float value = ((float)rand() / (float)RAND_MAX - 0.5f) * 0.04f;
    fwrite(&value, sizeof value, 1, file);
  }
  fclose(file);
}

int main(int argc, char **argv) {
  if (argc < 7) return 2;
  int layers = atoi(argv[1]), width = atoi(argv[2]), heads = atoi(argv[3]), vocabulary = atoi(argv[4]), B = atoi(argv[5]), T = atoi(argv[6]);
  int dims[6] = {T > 1024 ? T : 1024, vocabulary, layers, heads, width, (vocabulary + 127) / 128 * 128};
  char path[] = "/tmp/step_llmc.XXXXXX";
  close(mkstemp(path));
  write_weights(path, dims);
  FILE *out = fdopen(dup(1), "w");
  freopen("/dev/null", "w", stdout);  // it is chatty
  GPT2 model;
  gpt2_build_from_checkpoint(&model, path);
  unlink(path);
  int *x = malloc(sizeof(int) * B * T), *y = malloc(sizeof(int) * B * T);
  for (int i = 0; i < B * T; i++) x[i] = rand() % vocabulary, y[i] = rand() % vocabulary;
  char line[16];
  for (int step = 0; fgets(line, sizeof line, stdin); step++) {
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    gpt2_forward(&model, x, y, B, T);
    gpt2_zero_grad(&model);
    gpt2_backward(&model);
    gpt2_update(&model, 1e-4f, 0.9f, 0.999f, 1e-8f, 0.1f, step + 1);
    clock_gettime(CLOCK_MONOTONIC, &end);
    fprintf(out, "%.5f\n", (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9);
    fflush(out);
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  fprintf(out, "{\"loss\": %.6f, \"peak_mb\": %ld}\n", model.mean_loss, usage.ru_maxrss / 1024);
  fclose(out);
  return 0;
}
