#include <unistd.h>

#include <deque>
#include <exception>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "data/row_columns.h"
#include "data/row_format.h"
#include "engine/engine.h"
#include "engine/score.h"
#include "json/strict.h"
#include "launch/commands/commands.h"
#include "launch/commands/line_reader.h"
#include "launch/wiring/wiring.h"
#include "process/output.h"

namespace autodidact::launch {
namespace {

using Ids = std::vector<schema::TokenId>;

// Rows in flight in `generate`, and tokens computed together in `score`.
constexpr std::size_t kMaxGroups = 256;
constexpr std::size_t kMaxTokens = 4096;

void Print(const json::Json& value) {
  process::Output().Write(json::Dump(value) + "\n");
}

struct InputRow {
  json::Json value;
  std::string where;  // for errors
};

// The rows of standard input.
class Rows {
 public:
  Rows() { process::RequireInputApart(); }

  std::optional<InputRow> Next(bool wait) {
    const auto line = reader_.Next(wait);
    if (!line) return std::nullopt;
    InputRow row;
    row.where = base::Format("standard input:{}", reader_.number());
    row.value = data::ParseRow(*line, row.where);
    return row;
  }

 private:
  LineReader reader_{STDIN_FILENO};
};

const json::Json& List(const InputRow& row, const char* key) {
  const auto found = row.value.find(key);
  if (found == row.value.end()) base::ThrowBadInput(base::Format("{}: the key '{}' is missing", row.where, key));
  if (!found->is_array()) {
    base::ThrowBadInput(
        base::Format("{}: the key '{}' holds {}, expected a list", row.where, key, json::Describe(*found)));
  }
  return *found;
}

// vocab_size: of the model whose ids they are; 0: any.
Ids IdsOf(const InputRow& row, const char* key, std::int64_t vocab_size) {
  const std::int64_t end = vocab_size > 0 ? vocab_size : INT32_MAX;
  Ids ids;
  for (const json::Json& id : List(row, key)) {
    if (!id.is_number_integer() || id < 0 || id >= end) {
      base::ThrowBadInput(base::Format("{}: the key '{}' holds {}, expected token ids from 0 to {}", row.where, key,
                                       json::Describe(id), end - 1));
    }
    ids.push_back(id.get<schema::TokenId>());
  }
  return ids;
}

// A message's text, for the formats that render nothing else: all of it when it comes in parts.
std::string ContentOf(const json::Json& message, const std::string& where) {
  const auto found = message.find("content");
  if (found == message.end() || found->is_null()) {
    if (message.contains("tool_calls")) return "";
    base::ThrowBadInput(where + ": the key 'content' is missing");
  }
  if (!found->is_array()) return json::GetString(message, "content", where);
  std::string text;
  for (const json::Json& part : *found) {
    if (!part.is_object() || part.value("type", json::Json()) != "text") {
      base::ThrowBadInput(
          base::Format("{}: 'content' has a part that is {}, expected parts {{\"type\": \"text\", "
                       "\"text\"}}",
                       where, json::Describe(part)));
    }
    text += json::GetString(part, "text", where);
  }
  return text;
}

text::Chat ChatOf(const InputRow& row, bool add_generation_prompt) {
  text::Chat chat{.turns = {}, .add_generation_prompt = add_generation_prompt};
  for (const json::Json& message : List(row, "messages")) {
    const std::string where = base::Format("{}: messages[{}]", row.where, chat.turns.size());
    text::ChatTurn turn(json::GetString(message, "role", where), ContentOf(message, where));
    const bool is_more = message.size() > 2 || !message.contains("content") || !message["content"].is_string();
    if (is_more) turn.message = json::Dump(message);
    chat.turns.push_back(std::move(turn));
  }
  chat.variables = data::RowVariables(row.value, row.where);
  return chat;
}

// Texts, chats and ids to token ids. The chat template is looked for when the first chat comes.
class Encoder {
 public:
  Encoder(const LinesCommand& command, const text::Tokenizer& tokenizer) : command_(command), tokenizer_(tokenizer) {}

  // {"messages"} by the model's chat template, whose text has its own BOS.
  text::ChatTemplate::Prompt Chat(const InputRow& row) {
    if (!template_) template_ = LoadChatTemplate(command_.chat, command_.model);
    try {
      return template_->Encode(ChatOf(row, command_.generation_prompt), tokenizer_, command_.special);
    } catch (const base::Error& error) {
      throw Named(row, error);
    }
  }

  Ids Text(const InputRow& row, const char* key, bool special) {
    const std::string text = json::GetString(row.value, key, row.where);
    try {
      return tokenizer_.Encode(text, special);
    } catch (const base::Error& error) {
      throw Named(row, error);
    }
  }

  // {"ids"}, {"messages"} or {"prompt"}.
  Ids Prompt(const InputRow& row, std::int64_t vocab_size) {
    if (row.value.contains("ids")) return IdsOf(row, "ids", vocab_size);
    if (row.value.contains("messages")) return Chat(row).ids;
    return Text(row, "prompt", command_.special);
  }

 private:
  static base::Error Named(const InputRow& row, const base::Error& error) {
    if (error.message().starts_with(row.where)) return error;
    return base::Error(error.kind(), row.where + ": " + error.message());
  }

  const LinesCommand& command_;
  const text::Tokenizer& tokenizer_;
  std::optional<text::ChatTemplate> template_;
};

// Keeps the first error of the input, so that the rows before it are answered first.
class FirstError {
 public:
  template <class Action>
  void Catch(Action action) {
    try {
      action();
    } catch (const base::Error&) {
      error_ = std::current_exception();
    }
  }
  bool found() const { return error_ != nullptr; }
  void Rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

LoadedModel Load(const LinesCommand& command) {
  return LoadModelFolder(command.model, command.device,
                         ScalarTypeOf(base::ValueNamed<Dtype>(command.dtype, "--dtype")));
}

void PrintGroup(const schema::RolloutGroup& group) {
  for (const schema::Rollout& rollout : group.rollouts) {
    Print({{"completion", rollout.text},
           {"ids", rollout.ids},
           {"logprobs", rollout.logprobs},
           {"stop", schema::Name(rollout.stop)}});
  }
}

// Feeds the engine while it decodes and prints groups in the order of their rows.
class Generation {
 public:
  Generation(const LinesCommand& command, const LoadedModel& model)
      : command_(command),
        vocab_size_(model.weights->config().vocab_size),
        encoder_(command, *model.tokenizer),
        engine_({}, model.weights, *model.tokenizer) {}

  void Run() {
    for (;;) {
      error_.Catch([&] { Feed(); });
      if (engine_.idle()) break;
      for (engine::GroupResult& result : engine_.Step()) finished_.emplace(result.ticket, std::move(result));
      PrintFinished();
    }
    error_.Rethrow();
  }

 private:
  void Feed() {
    while (!error_.found() && engine_.num_groups() < kMaxGroups) {
      const auto row = rows_.Next(/*wait=*/engine_.idle());
      if (!row) return;
      engine_.Add({.ticket = next_ticket_++,
                   .prompt_ids = encoder_.Prompt(*row, vocab_size_),
                   .num_rollouts = static_cast<std::uint32_t>(command_.n),
                   .sampling = command_.sampling,
                   .seed = static_cast<std::uint64_t>(command_.seed),
                   .stream = base::RandomStream::kRollout});
      waiting_.push_back(row->where);
    }
  }

  void PrintFinished() {
    while (finished_.contains(next_print_)) {
      const auto node = finished_.extract(next_print_++);
      const auto& group = node.mapped().group;
      if (!group.ok()) base::ThrowBadInput(waiting_.front() + ": " + group.failure().reason);
      PrintGroup(*group);
      waiting_.pop_front();
    }
  }

  const LinesCommand& command_;
  std::int64_t vocab_size_;
  Encoder encoder_;
  engine::Engine engine_;
  Rows rows_;
  FirstError error_;
  schema::Ticket next_ticket_ = 0;
  schema::Ticket next_print_ = 0;
  std::map<schema::Ticket, engine::GroupResult> finished_;
  std::deque<std::string> waiting_;  // where the rows stand that are not printed yet
};

engine::ScoreRequest ToScore(const InputRow& row, Encoder& encoder, std::int64_t vocab_size) {
  engine::ScoreRequest request;
  if (row.value.contains("completion")) {
    request.prefix = encoder.Prompt(row, vocab_size);
    request.continuation = encoder.Text(row, "completion", /*special=*/false);
    if (request.prefix.empty()) base::ThrowBadInput(row.where + ": the prompt has no tokens");
    if (request.continuation.empty()) base::ThrowBadInput(row.where + ": the completion has no tokens");
    return request;
  }
  // The first id has nothing before it: every other one gets its log-probability.
  request.continuation = IdsOf(row, "ids", vocab_size);
  if (request.continuation.size() < 2) {
    base::ThrowBadInput(
        base::Format("{}: the key 'ids' holds {} ids, expected at least two", row.where, request.continuation.size()));
  }
  request.prefix = {request.continuation.front()};
  request.continuation.erase(request.continuation.begin());
  return request;
}

}  // namespace

void RunTokenize(const LinesCommand& command) {
  const text::Tokenizer tokenizer(command.model);
  Encoder encoder(command, tokenizer);
  Rows rows;
  while (const auto row = rows.Next(/*wait=*/true)) {
    if (command.decode) {
      Print({{"text", tokenizer.Decode(IdsOf(*row, "ids", 0), /*skip_special_tokens=*/command.special)}});
    } else if (row->value.contains("messages")) {
      const auto prompt = encoder.Chat(*row);
      Print({{"ids", prompt.ids}, {"text", prompt.text}});
    } else {
      Print({{"ids", encoder.Text(*row, "text", command.special)}});
    }
  }
}

void RunGenerate(const LinesCommand& command) {
  UseThreads(command.threads);
  const LoadedModel model = Load(command);
  Generation(command, model).Run();
}

void RunScore(const LinesCommand& command) {
  UseThreads(command.threads);
  const LoadedModel model = Load(command);
  Encoder encoder(command, *model.tokenizer);
  Rows rows;
  FirstError error;
  for (;;) {
    std::vector<engine::ScoreRequest> requests;
    error.Catch([&] {
      for (std::size_t tokens = 0; !error.found() && tokens < kMaxTokens;) {
        const auto row = rows.Next(/*wait=*/requests.empty());
        if (!row) break;
        requests.push_back(ToScore(*row, encoder, model.weights->config().vocab_size));
        tokens += requests.back().prefix.size() + requests.back().continuation.size();
      }
    });
    if (requests.empty()) break;
    const auto scores = engine::ScoreAll(*model.weights, requests, command.sampling.temperature);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      Print({{"ids", requests[i].continuation}, {"logprobs", scores[i]}});
    }
  }
  error.Rethrow();
}

}  // namespace autodidact::launch
