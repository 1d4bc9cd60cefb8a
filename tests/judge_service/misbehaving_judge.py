"""An OpenAI-compatible chat endpoint on loopback that misbehaves as it is told.

    misbehaving_judge.py BEHAVIOUR...

The n-th request is answered by the n-th behaviour, those beyond by the last: ok, 429 (with Retry-After: 1), 500, 401,
slow (no answer until the client has gone), cut (the connection ends inside the body), not_json, extra (words around the
JSON), short (a verdict too few), many (one too many), swapped (criteria out of order), maybe (one verdict is neither true
nor false), fenced, error200 and choice_error (an error with HTTP 200), no_seed and no_max_tokens (refusals of that
parameter), 307 (to /elsewhere), pair (ok, once two requests are under way together; 500 when that does not come). Prints its port, then one JSON line for each request: what it got and whether it was well-formed. Ends
when its standard input closes.

It judges honestly by a rule of its own: a criterion "says WORD" is met when WORD is a word of the response.
"""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BEHAVIOURS = sys.argv[1:]
lock = threading.Condition()
count = 0
under_way = 0
most = 0


def problems(body):
    """What is wrong with a request; the response must be readable from the user's message alone and as one JSON value."""
    found = []
    roles = [message["role"] for message in body["messages"]]
    if roles != ["system", "user"]:
        found.append(f"roles {roles}")
    data = json.loads(body["messages"][1]["content"])
    if sorted(data) != ["criteria", "response"]:
        found.append(f"members {sorted(data)}")
    if [item["criterion"] for item in data["criteria"]] != list(range(1, len(data["criteria"]) + 1)):
        found.append("criteria are not numbered")
    if data["response"] in body["messages"][0]["content"]:
        found.append("the response stands in the system message")
    return found


def verdicts(body):
    data = json.loads(body["messages"][1]["content"])
    words = re.findall(r"\w+", data["response"])
    judged = []
    for item in data["criteria"]:
        word = item["text"].removeprefix("says ")
        judged.append({"criterion": item["criterion"], "met": word in words, "reason": f"looked for {word}"})
    return judged


def message(behaviour, body):
    judged = verdicts(body)
    if behaviour == "short":
        judged = judged[:-1]
    elif behaviour == "many":
        judged.append({"criterion": len(judged) + 1, "met": True, "reason": ""})
    elif behaviour == "swapped":
        judged.reverse()
    elif behaviour == "maybe":
        judged[0]["met"] = "maybe"
    text = json.dumps({"verdicts": judged})
    if behaviour == "extra":
        return "Here you are: " + text
    if behaviour == "fenced":
        return "```json\n" + text + "\n```"
    if behaviour == "not_json":
        return "yes, yes, yes"
    return text


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global count, under_way, most
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with lock:
            behaviour = BEHAVIOURS[min(count, len(BEHAVIOURS) - 1)]
            count += 1
            under_way += 1
            most = max(most, under_way)
            lock.notify_all()
            print(json.dumps({"behaviour": behaviour, "path": self.path, "key": self.headers.get("Authorization"),
                              "body": body, "problems": problems(body), "at_once": most}), flush=True)
        try:
            self.reply(behaviour, body)
        finally:
            with lock:
                under_way -= 1

    def reply(self, behaviour, body):
        if behaviour == "slow":
            self.connection.recv(1)  # returns when the client hangs up
            self.close_connection = True
            return
        if behaviour == "pair":
            with lock:
                behaviour = "ok" if lock.wait_for(lambda: most > 1, timeout=10) else "500"
        refused = {"no_seed": "seed", "no_max_tokens": "max_tokens"}.get(behaviour)
        status = int(behaviour) if behaviour.isdigit() else 400 if refused else 200
        if behaviour == "error200":
            reply = json.dumps({"error": {"message": "slow down", "code": 429}})
        elif behaviour == "choice_error":
            reply = json.dumps({"choices": [{"finish_reason": "error", "error": {"code": 502}, "message": {"content": ""}}]})
        elif refused:
            reply = json.dumps({"error": {"message": f"Unsupported parameter: '{refused}'"}})
        elif status == 200:
            choice = {"index": 0, "message": {"role": "assistant", "content": message(behaviour, body)}}
            reply = json.dumps({"object": "chat.completion", "choices": [choice]})
        else:
            reply = json.dumps({"error": f"no, {self.headers.get('Authorization')}"})
        data = reply.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if status == 429:
            self.send_header("Retry-After", "1")
        if status == 307:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if behaviour == "cut" else data)
        if behaviour == "cut":
            self.close_connection = True

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
