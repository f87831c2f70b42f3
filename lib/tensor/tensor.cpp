#include "tensor/tensor.h"

#include <string>

namespace llmkit {

void expect_shape(const char* op, const char* name, const Tensor& tensor, const Shape& expected) {
  if (!tensor)
    throw Error({.what = std::string(op) + " needs " + name, .where = {}, .expected = {}, .found = {}, .hint = {}});
  if (tensor.shape() == expected) return;
  throw Error({.what = std::string("shape of ") + name,
               .where = op,
               .expected = expected.text(),
               .found = tensor.shape().text(),
               .hint = {}});
}

}  // namespace llmkit
