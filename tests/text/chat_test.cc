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

TEST(ChatGoldenTest, RendersAsTheModelsOwnTemplates) {
  const json::Json cases = json::ParseFile(tests::SourceFolder() / "tests/golden/chat_goldens.json");
  ASSERT_EQ(cases.size(), 150u);
  for (const json::Json& item : cases) {
    const ChatFormat format = ChatFormatNamed(item["format"].get<std::string>());
    std::vector<ChatTurn> turns;
    for (const json::Json& message : item["messages"]) turns.push_back({message["role"], message["content"]});
    const bool add = item["add_generation_prompt"].get<bool>();
    if (item["text"].is_null()) {
      EXPECT_THROW(RenderChat(format, turns, add), base::Error) << json::Dump(item);
    } else {
      EXPECT_EQ(RenderChat(format, turns, add), item["text"].get<std::string>()) << json::Dump(item);
    }
  }
}

TEST(ChatTest, SharedTemplatesAreRecognised) {
  const auto folder = tests::DataFolder() / "chat_templates";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not here; set AUTODIDACT_DATA";
  const auto format = [&](const std::string& name) {
    return RecogniseChatFormat(json::ReadFile(folder / (name + ".jinja")), name);
  };
  EXPECT_EQ(format("meta-llama-Llama-3.1-8B-Instruct"), ChatFormat::kLlama3);
  EXPECT_EQ(format("Qwen-Qwen2.5-7B-Instruct"), ChatFormat::kQwen2);
  EXPECT_EQ(format("Qwen-Qwen3-0.6B"), ChatFormat::kQwen3);
  EXPECT_EQ(format("google-gemma-3-it"), ChatFormat::kGemma3);
}

TEST(ChatTest, ChatMlIsRecognisedByItsDefaultSystemTurn) {
  const std::string loop =
      "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n'}}{% endfor %}";
  EXPECT_EQ(RecogniseChatFormat(loop, "t"), ChatFormat::kChatMl);
  EXPECT_EQ(RecogniseChatFormat("{{ '<|im_start|>system\\nYou are a helpful AI assistant named SmolLM, trained by "
                                "Hugging Face<|im_end|>\\n' }}" +
                                    loop,
                                "t"),
            ChatFormat::kSmolLm2);
  EXPECT_THROW(RecogniseChatFormat("{{ '<|im_start|>system\\nYou are someone else.<|im_end|>\\n' }}" + loop, "t"),
               base::Error);
  EXPECT_THROW(RecogniseChatFormat(loop + "{{ '<think>' }}", "t"), base::Error);
}

TEST(ChatTest, SmolLm2BeginsWithItsDefaultSystemTurn) {
  EXPECT_EQ(RenderChat(ChatFormat::kSmolLm2, {{"user", "Hi"}}, true),
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
            "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
}

TEST(ChatTest, PlainJoinsTheContentsByASpace) {
  EXPECT_EQ(RenderChat(ChatFormat::kPlain, {{"system", "a"}, {"user", "b"}}, true), "a b");
}

TEST(ChatTest, WrongTurnsAreRefused) {
  EXPECT_THROW(RenderChat(ChatFormat::kChatMl, {}, true), base::Error);
  EXPECT_THROW(RenderChat(ChatFormat::kChatMl, {{"tool", "x"}}, true), base::Error);
}

TEST(ChatTest, InvalidUtf8IsReplaced) {
  EXPECT_EQ(RenderChat(ChatFormat::kPlain, {{"user", "a\xff"}}, true), "a\xEF\xBF\xBD");
}

TEST(ChatTest, AnUnknownNameListsTheKnownOnes) {
  try {
    ChatFormatNamed("llama2");
    FAIL() << "no error was thrown";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("plain, llama3, qwen3"), std::string::npos) << error.message();
  }
}

TEST_F(ChatFolderTest, WithoutATemplateIsPlain) {
  EXPECT_EQ(DetectChatFormat(folder_), ChatFormat::kPlain);
  Write("tokenizer_config.json", "{}");
  EXPECT_EQ(DetectChatFormat(folder_), ChatFormat::kPlain);
}

TEST_F(ChatFolderTest, TemplateIsFoundInEachOfItsPlaces) {
  Write("tokenizer_config.json", R"({"chat_template": [{"name": "tools", "template": "x"},
      {"name": "default", "template": "<|im_start|>"}]})");
  EXPECT_EQ(DetectChatFormat(folder_), ChatFormat::kChatMl);
  Write("chat_template.json", R"({"chat_template": "<start_of_turn> first_user_prefix"})");
  EXPECT_EQ(DetectChatFormat(folder_), ChatFormat::kGemma3);
  Write("chat_template.jinja", "<|im_start|> enable_thinking");
  EXPECT_EQ(DetectChatFormat(folder_), ChatFormat::kQwen3);
}

TEST_F(ChatFolderTest, AnUnknownTemplateSaysHowToNameAFormat) {
  Write("chat_template.jinja", "[INST] {{ message }} [/INST]");
  try {
    DetectChatFormat(folder_);
    FAIL() << "no error was thrown";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("chat_template.jinja"), std::string::npos);
    EXPECT_NE(error.message().find("--chat-format): one of plain"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace autodidact::text
