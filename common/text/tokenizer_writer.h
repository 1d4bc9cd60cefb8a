// Writes tokenizer.json and tokenizer_config.json for a vocabulary made here.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "json/json.h"
#include "text/tokenizer.h"

namespace autodidact::text {

// Error(kBadInput) when a special token is empty or listed twice, or bos_token is not among them.
void CheckSpec(const TokenizerSpec& spec, const std::string& where);

// `parts` holds "pre_tokenizer", "decoder" and the model without its long lists; ids are places in `vocab`, which
// begins with the special tokens. `merges` is empty for a model without them.
void WriteTokenizer(const TokenizerSpec& spec, const json::Json& parts, const std::vector<std::string>& vocab,
                    const std::vector<std::pair<std::string, std::string>>& merges, const std::filesystem::path& file);

}  // namespace autodidact::text
