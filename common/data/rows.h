// The rows of a JSONL data file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "json/json.h"
#include "schema/types.h"

namespace autodidact::data {

// Which keys hold what. The first key that a row has counts.
struct RowKeys {
  std::vector<std::string> id = {"id", "unique_id", "task_id", "prompt_id"};
  std::vector<std::string> prompt = {"prompt", "question", "problem", "input", "messages"};
  std::vector<std::string> answer = {"answer", "label", "solution", "ground_truth"};
  std::vector<std::string> answers = {"answers"};
  std::vector<std::string> completion = {"completion", "completions"};  // of ReadPairs; before the answer keys
};

// One row: the prompt with its whole row, and any labels (any one of them is right) without repeats. A label is kept as
// it stands: a number as its JSON text (an integer of any length), GSM8K's worked answer with its "#### 42".
struct Row {
  schema::Prompt prompt;
  std::vector<std::string> answers;      // none of them blank
  std::optional<std::string> reference;  // made before the run (JoinReferences)
  std::string where = {};                // "FILE:LINE" of the labels
  std::string empty_label = {};          // why a label is none: "the key 'answer' holds an empty text"; or empty
};

// Reads every row. A prompt is text or a list of messages {"role", "content", …}, whose content is text or a list of
// parts of text; a label is text, a number or a list of those (null, a blank text, an empty list: no label). A row
// without an id gets its line number. Error(kBadInput) naming file and line for: no such file, a line that is not a
// JSON object, a key twice, no prompt, a wrong type, a duplicate id. Blank lines are passed over, and so is a byte
// order mark before a line.
std::vector<Row> ReadRows(const std::filesystem::path& file, const RowKeys& keys = {});

// Error(kBadInput) naming the first row without a label, or with a blank one, why, and what needs labels ("eval").
void RequireLabels(const std::vector<Row>& rows, const std::string& who, const RowKeys& keys = {});

// A value as the text of a label; a blank one and a null give none. Error(kBadInput) naming where and the key for what
// is no text, number or truth value, and for a list: those are read an item at a time.
std::optional<std::string> LabelOf(const json::Json& value, const std::string& key, const std::string& where);

// Joins labels that stand in a file of their own, by id, replacing those of the rows. Error(kBadInput) for an id of
// `rows` that the file lacks, a label row without a label or with a blank one, or a duplicate id. Further ids are
// passed over.
void JoinAnswers(std::vector<Row>& rows, const std::filesystem::path& labels, const RowKeys& keys = {});

// How many rows JoinReferences took out, and why.
struct LeftOut {
  std::size_t failed = 0;    // there is no reference
  std::size_t disputed = 0;  // too few of its candidates agree with it
};

// Joins the references that `synthesize` wrote, by id, and takes out the rows whose reference failed or has an
// "agreement" below `min_agreement` (0: not read). Error(kBadInput) for an id of `rows` that the file lacks, a row
// without a reference or an agreement that is needed, or a duplicate id. Further ids are passed over.
LeftOut JoinReferences(std::vector<Row>& rows, const std::filesystem::path& references, double min_agreement = 0,
                       const RowKeys& keys = {});

// The message as it stood in its row.
json::Json ToJson(const schema::ChatMessage& message);

// A pair for supervised training.
struct Pair {
  schema::Prompt prompt;                 // a prompt in text is without its row
  std::vector<std::string> completions;  // any one of them is right
};
// Rows with a prompt and `completion` or an answer key; errors as ReadRows. A row that `synthesize` wrote
// ("completions" beside "reference" or "failure") gives its reference as the completion; one that failed is passed
// over.
std::vector<Pair> ReadPairs(const std::filesystem::path& file, const RowKeys& keys = {});

}  // namespace autodidact::data
