"""Objects of the other side, as this side has them."""
def forwarded(name):
    def method(self, *args, **named):
        link.look_at(self)
        return link.ask("special", [name, self] + list(args), named)
    method.__name__ = name
    return method


def remote_generator(peer, number):
    """A generator whose steps are made on the other side."""
    def steps():
        received = None
        while True:
            ended, value = peer.ask("step", [number, received])
            if ended:
                return value
            received = yield value
    return steps()


async def remote_coroutine(peer, number):
    return peer.ask("await", [number])


class TheirDoc:
    """The documentation of a class or an object of the other side."""

    def __get__(self, handle, cls):
        if handle is not None:
            link.look_at(handle)
        try:
            return link.ask("get", [cls if handle is None else handle, "__doc__"])
        except AttributeError:
            return None


class HandleClass(type):
    """A class of the other side. Calling it makes an object there."""

    def __new__(mcs, name, bases, space):
        raise Refused("a class of the program's cannot be derived from here")

    def __call__(cls, *args, **named):
        return link.made_by(cls, link.ask("call", [cls] + list(args), named))

    def __getattr__(cls, name):
        if id(cls) not in link.theirs:
            raise AttributeError(name)
        return link.ask("get", [cls, name])

    def __setattr__(cls, name, value):
        link.ask("set", [cls, name, value])

    def __bool__(cls):
        return True

    def __iter__(cls):
        return iter(link.ask("items", [cls]))

    def __len__(cls):
        return len(link.ask("items", [cls]))

    def __getitem__(cls, key):
        return link.ask("item", [cls, key])

    def __contains__(cls, item):
        return any(item is one or item == one for one in cls)


class Handle(metaclass=type):
    """An object of the other side."""

    def __getattr__(self, name):
        if id(self) not in link.theirs or name in ("__deepcopy__", "__copy__", "__getstate__"):
            raise AttributeError(name)
        link.look_at(self)
        return link.ask("get", [self, name])

    def __setattr__(self, name, value):
        link.ask("set", [self, name, value])

    def __delattr__(self, name):
        link.ask("del", [self, name])

    def __eq__(self, other):
        return link.equal(self, other) if isinstance(other, Handle) else link.equal_to_plain(self, other)

    def __ne__(self, other):
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __hash__(self):
        return hash(type(self).__name__)

    def __str__(self):
        return link.ask("text", ["str", self])

    def __repr__(self):
        return link.ask("text", ["repr", self])

    def __format__(self, spec):
        return link.ask("text", ["format", self, spec])

    def __dir__(self):
        return link.ask("text", ["dir", self])

    def __reduce_ex__(self, protocol):
        raise Refused("an object of the program's own class cannot be copied here")
