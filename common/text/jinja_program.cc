#include "text/jinja_program.h"

namespace autodidact::text {

const char* const kJinjaProgram = R"python(
import datetime
import json
import sys

replies = sys.stdout
sys.stdout = sys.stderr


def say(value):
    replies.write(json.dumps(value) + "\n")
    replies.flush()


try:
    import jinja2
    import jinja2.ext
    import jinja2.meta
    import jinja2.nodes
    import jinja2.sandbox
except ImportError as error:
    say({"missing": str(error)})
    sys.exit(0)


class Refused(Exception):
    pass


class Message(dict):
    """Knows which of its keys were looked at."""

    def __init__(self, items):
        super().__init__(items)
        self.read = set()

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)

    def __contains__(self, key):
        self.read.add(key)
        return super().__contains__(key)

    def get(self, key, default=None):
        self.read.add(key)
        return super().get(key, default)

    def all_read(self):
        self.read.update(super().keys())

    def keys(self):
        self.all_read()
        return super().keys()

    def values(self):
        self.all_read()
        return super().values()

    def items(self):
        self.all_read()
        return super().items()

    def __iter__(self):
        self.all_read()
        return super().__iter__()

    def __repr__(self):
        self.all_read()
        return super().__repr__()

    __str__ = __repr__


class Parts(list):
    """A content in parts. Written out as a whole, it would be Python's notation for a list, which no model was taught."""

    def __repr__(self):
        raise Refused("it does not render a content that is a list of parts; give the content as one text")

    __str__ = __repr__


class Generation(jinja2.ext.Extension):
    """{% generation %}: marks what the assistant writes; renders its body."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def raise_exception(message):
    raise Refused("it says: " + str(message))


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


now = datetime.datetime(2000, 1, 1)
environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
environment.filters["tojson"] = tojson
environment.globals["raise_exception"] = raise_exception
environment.globals["strftime_now"] = lambda form: now.strftime(form)


def reason(error):
    if isinstance(error, Refused):
        return str(error)
    line = getattr(error, "lineno", None)
    return type(error).__name__ + ": " + str(error) + (" (line %d of the template)" % line if line else "")


def wrapped(message):
    if message.keys() == {"role", "content"} and isinstance(message["content"], str):
        return message
    message = Message(message)
    if isinstance(message.get("content"), list):
        message["content"] = Parts(message["content"])
    message.read = set()
    return message


def render(template, common, chat):
    messages = [wrapped(message) for message in chat["messages"]]
    try:
        text = template.render(**{**common, "tools": None, "documents": None, **chat, "messages": messages})
        unread = sorted({key for message in messages if isinstance(message, Message)
                         for key in dict.keys(message) if key not in message.read})
        return {"text": text, "unread": unread}
    except Exception as error:
        return {"error": reason(error)}


requests = sys.stdin.buffer
first = json.loads(requests.readline())
try:
    asks = sorted(jinja2.meta.find_undeclared_variables(environment.parse(first["template"])))
    template = environment.from_string(first["template"])
except Exception as error:
    say({"error": reason(error)})
    sys.exit(0)
say({"ready": jinja2.__version__, "asks": asks})
for line in requests:
    request = json.loads(line)
    now = datetime.datetime(*request["now"])
    say([render(template, first["variables"], chat) for chat in request["chats"]])
)python";

}  // namespace autodidact::text
