#include "text/chat.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "json/json.h"
#include "tests/paths.h"

namespace autodidact::text {
namespace {

Chat ChatOf(const json::Json& messages, bool add_generation_prompt) {
  Chat chat{.turns = {}, .add_generation_prompt = add_generation_prompt};
  for (const json::Json& message : messages) chat.turns.emplace_back(message["role"], message["content"]);
  return chat;
}

std::string RenderFormat(ChatFormat format, std::vector<ChatTurn> turns) {
  return ChatTemplate(format).Render({.turns = std::move(turns)});
}

TEST(ChatGoldenTest, RendersAsTheModelsOwnTemplates) {
  const json::Json cases = json::ParseFile(tests::SourceFolder() / "tests/golden/chat_goldens.json");
  ASSERT_EQ(cases.size(), 150u);
  for (const json::Json& item : cases) {
    const ChatTemplate format(ChatFormatNamed(item["format"].get<std::string>()));
    const Chat chat = ChatOf(item["messages"], item["add_generation_prompt"].get<bool>());
    if (item["text"].is_null()) {
      EXPECT_THROW(format.Render(chat), base::Error) << json::Dump(item);
    } else {
      EXPECT_EQ(format.Render(chat), item["text"].get<std::string>()) << json::Dump(item);
    }
  }
}

TEST(ChatTest, SharedTemplatesAreKnownByTheirText) {
  const auto folder = tests::DataFolder() / "chat_templates";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not here; set AUTODIDACT_DATA";
  const auto rendering = [&](const std::string& name, const std::string& bos) {
    const ChatTemplate known({.text = json::ReadFile(folder / (name + ".jinja")),
                              .where = name,
                              .special_tokens = json::Dump({{"bos_token", bos}})});
    EXPECT_NE(known.description().find("known by its text"), std::string::npos) << known.description();
    return known.Render({.turns = {{"user", "Hi"}}});
  };
  EXPECT_EQ(rendering("meta-llama-Llama-3.1-8B-Instruct", "<|begin_of_text|>"),
            RenderFormat(ChatFormat::kLlama3, {{"user", "Hi"}}));
  EXPECT_EQ(rendering("Qwen-Qwen2.5-7B-Instruct", ""), RenderFormat(ChatFormat::kQwen2, {{"user", "Hi"}}));
  EXPECT_EQ(rendering("Qwen-Qwen3-0.6B", ""), RenderFormat(ChatFormat::kQwen3Thinking, {{"user", "Hi"}}));
  EXPECT_EQ(rendering("google-gemma-3-it", "<bos>"), RenderFormat(ChatFormat::kGemma3, {{"user", "Hi"}}));
}

TEST(ChatTest, ThinkingIsTheVariablesToSwitch) {
  const auto file = tests::DataFolder() / "chat_templates/Qwen-Qwen3-0.6B.jinja";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not here; set AUTODIDACT_DATA";
  const auto rendering = [&](const std::string& variables) {
    const ChatTemplate known(
        {.text = json::ReadFile(file), .where = "t", .special_tokens = "{}", .variables = variables});
    EXPECT_EQ(known.leaves_thinking_open(), variables.empty());
    return known.Render({.turns = {{"user", "Hi"}}});
  };
  const std::string open = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
  EXPECT_EQ(rendering(""), open);
  EXPECT_EQ(rendering(R"({"enable_thinking":true})"), open);
  EXPECT_EQ(rendering(R"({"enable_thinking":false})"), open + "<think>\n\n</think>\n\n");
}

TEST(ChatTest, SmolLm2BeginsWithItsDefaultSystemTurn) {
  EXPECT_EQ(RenderFormat(ChatFormat::kSmolLm2, {{"user", "Hi"}}),
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTest, PlainJoinsTheContentsByASpace) {
  EXPECT_EQ(RenderFormat(ChatFormat::kPlain, {{"system", "a"}, {"user", "b"}}), "a b");
}

TEST(ChatTest, WrongTurnsAreRefused) {
  EXPECT_THROW(RenderFormat(ChatFormat::kChatMl, {}), base::Error);
  EXPECT_THROW(RenderFormat(ChatFormat::kChatMl, {{"tool", "x"}}), base::Error);
}

TEST(ChatTest, WhatAFormatDoesNotRenderIsRefusedAndNeverLeftOut) {
  ChatTurn turn("assistant", "x");
  turn.message = R"({"role": "assistant", "content": "x", "id": 7, "name": null})";
  EXPECT_EQ(RenderFormat(ChatFormat::kPlain, {turn}), "x");
  for (const char* key : {"tool_calls", "reasoning_content", "name", "tool_call_id"}) {
    turn.message = json::Dump({{"role", "assistant"}, {"content", "x"}, {key, "y"}});
    EXPECT_THROW(RenderFormat(ChatFormat::kChatMl, {turn}), base::Error) << key;
  }
  EXPECT_THROW(ChatTemplate().Render({.turns = {{"user", "x"}}, .variables = R"({"tools": [{}]})"}), base::Error);
}

TEST(ChatTest, InvalidUtf8IsReplaced) {
  EXPECT_EQ(RenderFormat(ChatFormat::kPlain, {{"user", "a\xff"}}), "a\xEF\xBF\xBD");
}

TEST(ChatTest, AnUnknownNameListsTheKnownOnes) {
  try {
    ChatFormatNamed("llama2");
    FAIL() << "no error was thrown";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("plain, llama3, qwen3"), std::string::npos) << error.message();
  }
}

class ChatFolderTest : public testing::Test {
 protected:
  ChatFolderTest()
      : folder_(std::filesystem::path(testing::TempDir()) / ("autodidact_chat_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~ChatFolderTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  std::filesystem::path folder_;
};

TEST_F(ChatFolderTest, WithoutATemplateThereIsNone) {
  EXPECT_FALSE(FindChatSource(folder_));
  Write("tokenizer_config.json", "{}");
  EXPECT_FALSE(FindChatSource(folder_));
}

TEST_F(ChatFolderTest, TemplateIsFoundInEachOfItsPlaces) {
  Write("chat_template.json", R"({"chat_template": "of the processor"})");
  EXPECT_EQ(FindChatSource(folder_)->text, "of the processor");
  Write("tokenizer_config.json", R"({"chat_template": [{"name": "tools", "template": "x"},
      {"name": "default", "template": "one of several"}]})");
  EXPECT_EQ(FindChatSource(folder_)->text, "one of several");
  Write("tokenizer_config.json", R"({"chat_template": {"default": "by its name"}})");
  EXPECT_EQ(FindChatSource(folder_)->text, "by its name");
  Write("tokenizer_config.json", R"({"chat_template": "the only one"})");
  EXPECT_EQ(FindChatSource(folder_)->text, "the only one");
  Write("chat_template.jinja", "a file");
  EXPECT_EQ(FindChatSource(folder_)->text, "a file");
  EXPECT_EQ(FindChatSource(folder_)->where, (folder_ / "chat_template.jinja").string());
}

TEST_F(ChatFolderTest, SeveralTemplatesWithoutADefaultAreAnErrorThatSaysWhatToDo) {
  Write("tokenizer_config.json", R"({"chat_template": [{"name": "tools", "template": "x"}]})");
  try {
    FindChatSource(folder_);
    FAIL() << "no error was thrown";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("prompt.template"), std::string::npos) << error.message();
  }
}

TEST_F(ChatFolderTest, SpecialTokensAreTextsOrObjectsInEitherFile) {
  Write("special_tokens_map.json", R"({"bos_token": {"content": "<s>", "lstrip": false}, "pad_token": "<old>"})");
  Write("tokenizer_config.json", R"({"chat_template": "t", "bos_token": null, "eos_token": {"content": "</s>"},
      "pad_token": "<pad>", "additional_special_tokens": ["<a>", {"content": "<b>"}],
      "extra_special_tokens": {"image_token": "<image>"}})");
  EXPECT_EQ(FindChatSource(folder_)->special_tokens,
            R"({"bos_token":"<s>","pad_token":"<pad>","eos_token":"</s>","image_token":"<image>",)"
            R"("additional_special_tokens":["<a>","<b>"]})");
}

}  // namespace
}  // namespace autodidact::text
