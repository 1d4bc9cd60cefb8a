// The program in an answer.
#include "tests/programs/code_example.h"

namespace autodidact::programs {
namespace {

using CodeTextTest = SandboxedTest;

struct Answer {
  const char* name;
  const char* text;
};

// Each holds the program that adds up, in one of the forms that people and models give it.
constexpr Answer kRight[] = {
    {"plain", "def add_up(xs):\n    return sum(xs)\n"},
    {"words around", "Here:\n```python\ndef add_up(xs):\n    return sum(xs)\n```\nThat is all.\n"},
    {"usage behind", "```python\ndef add_up(xs):\n    return sum(xs)\n```\n```python\nprint(add_up([4, 5]))\n```\n"},
    {"usage with a result",
     "```python\ndef add_up(xs):\n    return sum(xs)\n```\n```python\nresult = add_up([4])\n```\n"},
    {"its tests behind",
     "```python\ndef add_up(xs):\n    return sum(xs)\n```\n```python\ndef test_add_up():\n    assert "
     "add_up([1]) == 1\n```\n"},
    {"a main behind",
     "```python\ndef add_up(xs):\n    return sum(xs)\n```\n```python\ndef main():\n    "
     "print(add_up([1]))\n```\n"},
    {"a signature behind",
     "```python\ndef add_up(xs):\n    return sum(xs)\n```\nIt has the "
     "form\n```python\ndef add_up(xs):\n    ...\n```\n"},
    {"a correction",
     "```python\ndef add_up(xs):\n    return 1\n```\nBetter:\n```python\ndef add_up(xs):\n    return "
     "sum(xs)\n```\n"},
    {"shell before, output behind",
     "```bash\npip install x\n```\n```python\ndef add_up(xs):\n    return "
     "sum(xs)\n```\n```\n9\n```\n```text\nresult: 9\n```\n"},
    {"helper before",
     "```python\ndef plus(a, b):\n    return a + b\n```\nand\n```python\ndef add_up(xs):\n    total = "
     "0\n    for x in xs:\n        total = plus(total, x)\n    return total\n```\n"},
    {"import before",
     "```python\nfrom functools import reduce\n```\n```python\ndef add_up(xs):\n    return reduce(lambda "
     "a, b: a + b, xs, 0)\n```\n"},
    {"tildes", "~~~py\ndef add_up(xs):\n    return sum(xs)\n~~~\n"},
    {"four ticks", "````python\ndef add_up(xs):\n    return sum(xs)\n````\n"},
    {"not closed", "```python\ndef add_up(xs):\n    return sum(xs)\n"},
    {"closed on its last line", "```python\ndef add_up(xs):\n    return sum(xs)```\nDone.\n"},
    {"in a list", "1. Write\n   ```python\n   def add_up(xs):\n       return sum(xs)\n   ```\n2. Done\n"},
    {"tabs before", "\t```python\n\tdef add_up(xs):\n\t    return sum(xs)\n\t```\n"},
    {"quoted", "> ```python\n> def add_up(xs):\n>     return sum(xs)\n> ```\n"},
    {"carriage returns", "Here.\r\n```python\r\ndef add_up(xs):\r\n    return sum(xs)\r\n```\r\n"},
    {"behind words", "The code: ```python\ndef add_up(xs):\n    return sum(xs)\n```\n"},
    {"one line", "```python def add_up(xs): return sum(xs)```"},
    {"one line without a word", "``` def add_up(xs): return sum(xs) ```"},
    {"title", "```py title=\"a.py\"\ndef add_up(xs):\n    return sum(xs)\n```\n"},
    {"braces", "```{.python .numbers}\ndef add_up(xs):\n    return sum(xs)\n```\n"},
    {"capital", "```Python3\ndef add_up(xs):\n    return sum(xs)\n```\n"},
    {"space", "``` python\ndef add_up(xs):\n    return sum(xs)\n```\n"},
    {"no word", "```\ndef add_up(xs):\n    return sum(xs)\n```\n"},
    {"wrong word", "```javascript\ndef add_up(xs):\n    return sum(xs)\n```\n"},
    {"markdown around", "````markdown\nSo:\n```python\ndef add_up(xs):\n    return sum(xs)\n```\n````\n"},
    {"a fence in its text",
     "```python\ndef add_up(xs):\n    '''\n```\n    add_up([1])\n```\n    '''\n    return "
     "sum(xs)\n```\nand so on\n"},
    {"thought before",
     "<think>Maybe\n```python\ndef add_up(xs):\n    return 1\n```\nno.</think>\n```python\ndef "
     "add_up(xs):\n    return sum(xs)\n```\n"},
    {"thought alone in a block",
     "<think>```python\ndef add_up(xs):\n    return 1\n```</think>def add_up(xs):\n    return "
     "sum(xs)\n"},
    {"empty block behind", "```python\ndef add_up(xs):\n    return sum(xs)\n```\n```\n```\n"},
    {"tags", "[PYTHON]\ndef add_up(xs):\n    return sum(xs)\n[/PYTHON]\n"},
    {"words without a fence", "Here is the function:\n\ndef add_up(xs):\n    return sum(xs)\n\nIt adds them up.\n"},
    {"a session behind", "```python\ndef add_up(xs):\n    return sum(xs)\n```\n```python\n>>> add_up([1])\n1\n```\n"},
    {"a class behind", "```python\ndef add_up(xs):\n    return sum(xs)\n```\n```python\nclass Other:\n    pass\n```\n"},
    {"byte order mark",
     "\xEF\xBB\xBF"
     "def add_up(xs):\n    return sum(xs)\n"},
    {"all of it shifted", "```python\n    def add_up(xs):\n        return sum(xs)\n```\n"},
    {"in the prompt's block", "def add_up(xs):\n    return sum(xs)\n```\nThat is all.\n"},
    {"between marks that are Python too", "[BEGIN]\ndef add_up(xs):\n    return sum(xs)\n[DONE]\n"},
};

TEST_F(CodeTextTest, TheProgramIsTheBlockThatDefinesWhatIsAsked) {
  for (const Answer& answer : kRight) {
    const CodeOutcome outcome =
        RunTests({}, {answer.text, "assert add_up([1, 2, 3]) == 6\nassert add_up([]) == 0", "", ""});
    EXPECT_EQ(outcome.end, CodeEnd::kPassed) << answer.name << ": " << outcome.reason;
  }
}

constexpr Answer kRightScripts[] = {
    {"plain", "a, b = map(int, input().split())\nprint(a + b)\n"},
    {"example behind",
     "```python\na, b = map(int, input().split())\nprint(a + b)\n```\nFor\n```\n1 2\n```\nit "
     "prints\n```\n3\n```\n"},
    {"call behind", "```python\na, b = map(int, input().split())\nprint(a + b)\n```\n```python\nprint(1 + 2)\n```\n"},
    {"main",
     "```python\ndef main():\n    a, b = map(int, input().split())\n    print(a + b)\n\nif __name__ == "
     "'__main__':\n    main()\n```\n"},
};

TEST_F(CodeTextTest, AScriptIsTheBlockThatReadsItsInput) {
  for (const Answer& answer : kRightScripts) {
    const CodeOutcome outcome = RunTests({}, {answer.text, R"([{"input": "1 2\n", "output": "3\n"}])", "", ""});
    EXPECT_EQ(outcome.end, CodeEnd::kPassed) << answer.name << ": " << outcome.reason;
  }
}

TEST_F(CodeTextTest, ABodyMayEndThePromptsBlock) {
  const CodeOutcome outcome = RunTests(
      {}, {"    return sum(xs)\n```\nIt adds up.", "assert add_up([1, 2]) == 3", "add_up", "def add_up(xs):\n"});
  EXPECT_EQ(outcome.end, CodeEnd::kPassed) << outcome.reason;
}

TEST_F(CodeTextTest, InputsAreNoProgram) {
  const CodeText text = ReadCodeText("a\n```python\nx = 1\n```\n```inputs\nf(1)\n\n f(2)\n\"a\\n\"\n```\n");
  EXPECT_EQ(text.inputs, (std::vector<std::string>{"f(1)", "f(2)", "a\n"}));
  for (const CodeText::Block& block : text.blocks) EXPECT_NE(block.mark, "inputs");
  EXPECT_EQ(ReadCodeText("x = 3").whole, "x = 3");
  EXPECT_TRUE(ReadCodeText("x = 3").blocks.empty());
  EXPECT_EQ(ReadCodeText("```\nx = 4").blocks.at(0).text, "x = 4\n");
}

}  // namespace
}  // namespace autodidact::programs
