#include <iostream>

#include "command.h"
#include "io/files.h"

namespace llmkit::cli {
namespace {

// As a POSIX shell reads it back.
std::string quoted(const std::string& word) {
  bool plain = !word.empty() &&
               word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:@%+") ==
                   std::string::npos;
  if (plain) return word;
  std::string out = "'";
  for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

class Submit final : public Command {
 public:
  const CommandInfo& info() const override {
    static const CommandInfo info{
        "submit",
        "Tools",
        "print the script that runs a command on a cluster",
        {"llmkit submit --processes 4 -- pretrain --config 10m --data tokens --accumulation 4 --grad-groups 4 --steps "
         "9000 -o run | sbatch",
         "llmkit submit --with mpirun --processes 2 -- pretrain --config 10m --data tokens --accumulation 2 "
         "--grad-groups 2 --steps 9000 -o run > job.sh",
         "llmkit submit --with parallel --processes 3 -- pretrain --config 10m --data tokens --steps 900 -o run > "
         "sweep.sh"},
        "Prints a script and runs nothing. slurm: for sbatch, with a warning signal before the time limit, so that the "
        "run "
        "saves a checkpoint and a requeued job goes on from it. mpirun: for a list of machines that MPI reaches. "
        "parallel: "
        "GNU parallel with independent runs of other seeds, RUN-0, RUN-1, …\n"
        "--resume is added: on an empty run folder it starts a new run. llmkit help many-machines has the rest.",
        kUsesOutput};
    return info;
  }

  void declare(Options& o) override {
    o.positional("COMMAND", &words_, "what to run, after --: pretrain and its options", 1);
    o.choice("--with", &with_, {"slurm", "mpirun", "parallel"}, "what starts the processes");
    o.integer("--processes", &processes_, "N", "of the job; for parallel: runs", 1, 1 << 16);
    o.integer("--cpus", &cpus_, "N", "processors of each process; 0 = what the machine has, shared", 0, 1024);
    o.text("--time", &time_, "D-HH:MM:SS", "slurm: limit of the job");
    o.text("--program", &program_, "PATH", "the llmkit to run there");
  }

  ExitCode run(Context&, const Common& common) override {
    if (words_[0] != "pretrain")
      throw UsageError(
          ErrorParts{"only pretrain runs as several processes", {}, "submit … -- pretrain …", words_[0], {}});
    std::string text = with_ == "slurm" ? slurm() : with_ == "mpirun" ? mpirun() : parallel();
    if (common.output == "-") {
      std::cout << text;
    } else {
      io::write_file_atomically(common.output, text);
    }
    return ExitCode::done;
  }

 private:
  std::string command(const std::string& instead_of_folder = {}) const {
    std::string line = quoted(program_);
    bool resumes = false;
    for (size_t i = 0; i < words_.size(); ++i) {
      bool folder = i > 0 && (words_[i - 1] == "-o" || words_[i - 1] == "--output");
      line += ' ' + (folder && !instead_of_folder.empty() ? quoted(words_[i]) + instead_of_folder : quoted(words_[i]));
      resumes = resumes || words_[i] == "--resume";
    }
    if (cpus_ > 0) line += " --threads " + std::to_string(cpus_);
    return line + (resumes ? "" : " --resume");
  }

  std::string slurm() const {
    std::string n = std::to_string(processes_);
    return "#!/bin/bash\n#SBATCH --job-name=llmkit\n#SBATCH --ntasks=" + n +
           (cpus_ > 0 ? "\n#SBATCH --cpus-per-task=" + std::to_string(cpus_) : "") + "\n#SBATCH --time=" + time_ +
           "\n#SBATCH --signal=TERM@300\n#SBATCH --requeue\n#SBATCH --open-mode=append\n"
           "# 300 s before the limit every process is asked to stop: the run saves a checkpoint, and this job goes on "
           "later.\n"
           "srun --mpi=pmix " +
           command() + "\nstatus=$?\n" + "[ $status -eq 130 ] && scontrol requeue \"$SLURM_JOB_ID\"\nexit $status\n";
  }

  std::string mpirun() const {
    return "#!/bin/bash\n# machines: one name a line, with slots=PROCESSES behind it; data and run folder are on a "
           "file system that all share.\n"
           "# The long time to end leaves room for the checkpoint that a stopped run saves.\n"
           "exec mpirun -n " +
           std::to_string(processes_) +
           " --hostfile machines --bind-to none --mca odls_base_sigkill_timeout 300 \\\n  " + command() + "\n";
  }

  std::string parallel() const {
    return "#!/bin/bash\n# Independent runs; add --sshloginfile machines to spread them.\n"
           "exec parallel --jobs 1 --joblog llmkit.joblog \\\n  " +
           quoted(command("-{}") + " --seed {}") + " ::: $(seq 0 " + std::to_string(processes_ - 1) + ")\n";
  }

  std::vector<std::string> words_;
  std::string with_ = "slurm", time_ = "1-00:00:00", program_ = "llmkit";
  int64_t processes_ = 1, cpus_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_submit() {
  return std::make_unique<Submit>();
}

}  // namespace llmkit::cli
