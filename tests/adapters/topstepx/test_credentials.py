"""Where the login comes from, and that it is shown nowhere."""

import pickle
import sys
from types import ModuleType

import pytest

from adapters.topstepx import credentials
from adapters.topstepx.credentials import API_KEY, USER_NAME, Credentials, find_credentials, store
from riskcore.errors import ConfigError, LoginRefused

BOTH = {USER_NAME: "trader", API_KEY: "SECRET"}


class Keyring(ModuleType):
    """A keyring in memory, with the functions of the real one that are used."""

    def __init__(self, broken: bool = False) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.broken = broken

    def get_password(self, service: str, name: str) -> str | None:
        self._check()
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self._check()
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        self._check()
        del self.kept[service, name]

    def _check(self) -> None:
        if self.broken:
            raise RuntimeError("locked: SECRET")


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    made = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", made)
    return made


@pytest.fixture
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


def pair(found: Credentials) -> tuple[str, str]:
    return found.user_name, found.api_key


def never(question: str, hidden: bool) -> str:
    raise AssertionError(f"asked: {question}")


def test_the_environment_comes_first(keyring: Keyring) -> None:
    store(Credentials("other", "OTHER"))
    assert pair(find_credentials(BOTH, never)) == ("trader", "SECRET")


def test_the_keyring_comes_next(keyring: Keyring) -> None:
    store(Credentials("trader", "SECRET"))
    assert pair(find_credentials({}, never)) == ("trader", "SECRET")
    assert pair(find_credentials({USER_NAME: " Trader "}, never)) == ("Trader", "SECRET")
    assert pair(find_credentials({API_KEY: "NEW"}, never)) == ("trader", "NEW")


def test_a_stored_key_belongs_to_its_user(keyring: Keyring) -> None:
    store(Credentials("trader", "SECRET"))
    with pytest.raises(LoginRefused, match=f"set {API_KEY}, or"):
        find_credentials({USER_NAME: "other"}, None)


@pytest.mark.usefixtures("_no_keyring")
def test_a_person_is_asked_last_and_only_for_what_is_missing() -> None:
    asked: list[tuple[str, bool]] = []

    def answer(question: str, hidden: bool) -> str:
        asked.append((question, hidden))
        return " typed "

    assert pair(find_credentials({}, answer)) == ("typed", "typed")
    assert [hidden for _, hidden in asked] == [False, True]
    asked.clear()
    assert pair(find_credentials({USER_NAME: "trader"}, answer)) == ("trader", "typed")
    assert [hidden for _, hidden in asked] == [True]


@pytest.mark.usefixtures("_no_keyring")
@pytest.mark.parametrize(
    ("environment", "named"),
    [({}, f"{USER_NAME} and {API_KEY}"), ({USER_NAME: "trader"}, API_KEY), ({API_KEY: "SECRET"}, USER_NAME)],
)
def test_without_a_login_the_error_says_what_to_set(environment: dict[str, str], named: str) -> None:
    with pytest.raises(LoginRefused) as error:
        find_credentials(environment, None)
    assert f"set {named}, or" in str(error.value)
    assert "SECRET" not in str(error.value)
    with pytest.raises(LoginRefused):
        find_credentials(environment, lambda question, hidden: " ")


def test_a_keyring_that_does_not_work_is_as_good_as_none(keyring: Keyring) -> None:
    keyring.broken = True
    with pytest.raises(LoginRefused):
        find_credentials({}, None)
    with pytest.raises(ConfigError, match="keyring keeps nothing") as error:
        store(Credentials("trader", "SECRET"))
    assert "SECRET" not in str(error.value)


@pytest.mark.usefixtures("_no_keyring")
def test_without_the_library_storing_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match=r"riskcore\[keyring\]"):
        store(Credentials("trader", "SECRET"))


def test_credentials_show_and_write_nothing() -> None:
    login = Credentials("SECRET-NAME", "SECRET-KEY")
    assert "SECRET" not in f"{login!r} {login} {[login]} {login!s:>40}"
    assert not hasattr(login, "__dict__")
    with pytest.raises(TypeError):
        pickle.dumps(login)


def test_the_real_library_has_what_is_used() -> None:
    keyring = pytest.importorskip("keyring")
    for name in ("get_password", "set_password", "delete_password"):
        assert callable(getattr(keyring, name))
    assert credentials.SERVICE == "riskcore"
