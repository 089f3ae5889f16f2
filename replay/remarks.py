"""What a reader of a replay should know beside its result: accounts nobody judged, products nobody described."""

from riskcore.core.products import built_in_contract, product_code
from riskcore.core.quantities import money_text, price_text
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Book, Contract


def remarks(book: Book, rulebook: Rulebook) -> list[str]:
    """Sentences for stderr, in a fixed order (RULES.md 1.2 and 1.3: unknown codes, differing tick economics)."""
    found = _unmatched(book, rulebook)
    judged = [account for account in book.accounts.values() if rulebook.judges(account)]
    for name in sorted({name for account in judged for name in account.positions}):
        contract = book.contracts.get(name)
        if contract is None:
            found.append(
                f"{name}: product {product_code(name)!r} is unknown, so its open P&L is left out; "
                "a Contract/searchById line would describe it"
            )
        elif (difference := _difference(contract)) is not None:
            found.append(difference)
    return found


def _unmatched(book: Book, rulebook: Rulebook) -> list[str]:
    """Names asked for that no account of the recording has."""
    known = {name for account in book.accounts.values() for name in (str(account.id), account.name)}
    present = ", ".join(account.name or str(account.id) for account in book.accounts.values())
    found = [
        f"--account {name}: no account of that name or id; there is {present or 'none'}"
        for name in rulebook.restrict
        if name not in known
    ]
    if not rulebook.restrict and book.accounts and not any(map(rulebook.judges, book.accounts.values())):
        wanted = ", ".join(rulebook.profile.accounts)
        found.append(f"profile.accounts ({wanted}) names no account of the recording; there is {present}")
    return found


def _difference(contract: Contract) -> str | None:
    """A broker record that contradicts the built-in table; the record wins."""
    table = built_in_contract(contract.id)
    ours = (contract.tick_size, contract.tick_value)
    if table is None or ours == (table.tick_size, table.tick_value):
        return None
    return (
        f"{contract.id}: the broker's tick of {price_text(ours[0])} worth {money_text(ours[1])} is used; "
        f"the built-in table says {price_text(table.tick_size)} worth {money_text(table.tick_value)}"
    )
