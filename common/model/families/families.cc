#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "model/families/family.h"

namespace autodidact::model {

extern const Family kLlama;
extern const Family kQwen2;
extern const Family kQwen3;
extern const Family kGemma3;

namespace {

const std::vector<const Family*>& Families() {
  static const std::vector<const Family*> kFamilies = {&kLlama, &kQwen2, &kQwen3, &kGemma3};
  return kFamilies;
}

std::vector<std::string> ArchitecturesOf(const Family& family) {
  std::vector<std::string> names = {family.architecture};
  names.insert(names.end(), family.other_architectures.begin(), family.other_architectures.end());
  if (family.wrapper) names.push_back(family.wrapper->architecture);
  return names;
}

}  // namespace

const Family* FindFamily(const std::string& model_type) {
  for (const Family* family : Families()) {
    if (family->model_type == model_type) return family;
  }
  return nullptr;
}

const Family* FindWrappedFamily(const std::string& model_type) {
  for (const Family* family : Families()) {
    if (family->wrapper && family->wrapper->model_type == model_type) return family;
  }
  return nullptr;
}

const Family& FamilyOf(const ModelConfig& config) {
  const Family* family = FindFamily(config.model_type);
  AD_CHECK(family != nullptr, "no family has the model_type {}", config.model_type);
  return *family;
}

std::string SupportedArchitectures() {
  std::string all;
  for (const Family* family : Families()) {
    all += (all.empty() ? "" : ", ") + family->architecture;
    if (family->wrapper) all += ", " + family->wrapper->architecture + " (text part)";
  }
  return all;
}

bool IsArchitecture(const std::string& name) {
  return std::any_of(Families().begin(), Families().end(), [&](const Family* family) {
    const std::vector<std::string> names = ArchitecturesOf(*family);
    return std::find(names.begin(), names.end(), name) != names.end();
  });
}

void ApplyFamily(const Family& family, ModelConfig& config) {
  config.model_type = family.model_type;
  config.attention_bias = family.attention_bias;
  config.qk_norm = family.qk_norm;
  config.norm_plus_one = family.norm_plus_one;
  config.sandwich_norms = family.sandwich_norms;
  config.gelu_tanh = family.gelu_tanh;
  config.embedding_scale = family.scaled_embeddings ? std::sqrt(static_cast<double>(config.hidden_size)) : 1.0;
}

}  // namespace autodidact::model
