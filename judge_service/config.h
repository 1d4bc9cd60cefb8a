// What judges are configured by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/deadline.h"
#include "base/names.h"
#include "programs/code.h"
#include "text/chat.h"

namespace autodidact::judge_service {

// What a response is held against.
enum class JudgeKind {
  kProgram,       // the reference's answer, by a program
  kRubric,        // each criterion of the rubric, by a model
  kModelAsJudge,  // the reference as a whole, by a model
};
constexpr auto NamesOf(JudgeKind) {
  return base::NameTable<JudgeKind, 3>{
      {{JudgeKind::kProgram, "program"}, {JudgeKind::kRubric, "rubric"}, {JudgeKind::kModelAsJudge, "model_as_judge"}}};
}

struct CodeJudgeConfig {
  programs::CodeConfig run;
  programs::InputKind inputs = programs::InputKind::kCalls;
  std::uint32_t jobs = 2;  // programs at a time
};

struct ModelJudgeConfig {
  JudgeKind kind = JudgeKind::kRubric;     // not kProgram
  std::uint32_t attempts = 3;              // per item, until its verdict is valid; then it is left out
  std::size_t cache = 100'000;             // verdicts kept; 0: none
  std::uint32_t length_penalty_above = 0;  // tokens; a longer response loses length_penalty; 0: off
  double length_penalty = 1.0;
};

struct ModelBackendConfig {
  std::string folder;  // of the weights, whose name the verdicts' cache keeps
  std::string system;  // empty: none
  // The user turn. "{response}", and "{criterion}" (or "{reference}") for what the response is held against: it should
  // come last, since what stands before it is computed once for all criteria of a response.
  std::string instruction;
  text::ChatTemplate chat;
  std::string yes = "yes";  // tokenized by themselves and put after the prompt
  std::string no = "no";
  double threshold = 0.5;  // met when P(yes) / (P(yes) + P(no)) is above
};

struct TalkConfig {
  JudgeKind kind = JudgeKind::kRubric;
  std::string model;   // as the endpoint names it
  std::string system;  // put before the protocol; empty: built in
  std::int64_t max_tokens = 1024;
  std::string extra_body;  // JSON object whose members go into the body; null takes a member out; empty: none
};

struct EndpointConfig {
  TalkConfig talk;
  std::string base_url;                // "http://127.0.0.1:8000/v1"
  std::string api_key;                 // sent as a bearer token; empty: none. It is never logged and in no reason
  std::int64_t concurrency = 8;        // calls at once
  base::Milliseconds timeout{60'000};  // of one call
  std::int64_t retries = 5;            // of one call that failed on the way
  base::Milliseconds backoff{500};     // before the first retry, doubled each time, with jitter
  base::Milliseconds max_backoff{30'000};
  std::uint64_t seed = 0;  // of the jitter
};

}  // namespace autodidact::judge_service
