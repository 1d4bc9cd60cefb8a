#include "text/model.h"

#include "base/error.h"
#include "base/format.h"
#include "text/bpe.h"

namespace autodidact::text {
namespace {

// Each word is a token by itself.
class WordLevelModel : public Model {
 public:
  WordLevelModel(const TokenizerFile& file, const Part& part) : vocab_(file.vocab.size()) {
    for (const auto& [token, id] : file.vocab) {
      if (!vocab_.Insert(token, static_cast<TokenId>(id))) part.Throw("vocab lists '" + token + "' twice");
    }
    unknown_ = vocab_.Find(part.StringOr("unk_token", "<unk>"));
  }

  void Tokenize(std::string_view word, ModelScratch&, std::vector<TokenId>* ids) const override {
    const TokenId id = vocab_.Find(word);
    if (id == kNoToken && unknown_ == kNoToken) {
      base::ThrowBadInput(base::Format("the vocabulary has no token for '{}' and no token for unknown words", word));
    }
    ids->push_back(id == kNoToken ? unknown_ : id);
  }

  TokenId unknown() const override { return unknown_; }

 private:
  StringTable vocab_;
  TokenId unknown_ = kNoToken;
};

}  // namespace

std::unique_ptr<Model> MakeModel(const TokenizerFile& file, bool byte_level) {
  const Part part = Part(file.parts, file.path).At("model");
  // Files of early versions leave out the type; only BPE has merges.
  const std::string type = part.StringOr("type", file.merges.empty() ? "" : "BPE");
  constexpr const char* kModels = "BPE, WordLevel";
  if (type != "BPE" && type != "WordLevel") part.ThrowUnsupported(type, kModels);
  if (file.vocab.empty()) part.Throw("the vocabulary is empty");
  if (type == "BPE") return std::make_unique<BpeModel>(file, part, byte_level);
  if (byte_level) part.Throw("the pre-tokenizer ByteLevel is supported with the model BPE only");
  return std::make_unique<WordLevelModel>(file, part);
}

}  // namespace autodidact::text
