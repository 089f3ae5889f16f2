"""The table of a sweep as a parquet file (INTERFACE.md 6): one row a setting, account and day."""

import json
import os
import stat
import tempfile
from contextlib import suppress
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from replay.sweep.grid import Values, number_of
from replay.sweep.sweep import Table
from riskcore.core.quantities import SECOND_NS
from riskcore.errors import CannotWrite

MONEY = pl.Decimal(18, 6)
_OF_OUTCOMES: dict[str, Any] = {
    "account": pl.Int64,
    "trade_date": pl.String,
    "baseline_net": MONEY,
    "counterfactual_net": MONEY,
    "effect_net": MONEY,
    "exact": MONEY,
    "simulated": MONEY,
    "breaches": pl.Int64,
    "left_out_contracts": pl.Int64,
    "locked_minutes": pl.Float64,
    "worst_equity": MONEY,
    "outcome": pl.String,
    "flags": pl.String,
}


def setting_text(values: Values) -> str:
    """The values of a setting as JSON, in the order of the grid."""
    return json.dumps(dict(values), ensure_ascii=False)


def frame_of(table: Table) -> pl.DataFrame:
    """The table as a frame. A grid key whose values are all numbers is a column of numbers, else one of texts."""
    keys: dict[str, Any] = {
        axis.key: MONEY if None not in map(number_of, axis.values) else pl.String for axis in table.grid.axes
    }
    columns: dict[str, list[Any]] = {name: [] for name in ("setting", *keys, *_OF_OUTCOMES)}
    for setting in table.settings:
        rows, text = setting.rows(), setting_text(setting.values)
        columns["setting"] += [text] * len(rows)
        for key, value in setting.values:
            columns[key] += [Decimal(value) if keys[key] == MONEY else value] * len(rows)
        for row in rows:
            found = (
                row.account,
                row.trade_date,
                _money(row.baseline_usd),
                _money(row.counterfactual_usd),
                _money(row.effect_usd),
                _money(row.effect_usd - row.simulated_usd),
                _money(row.simulated_usd),
                row.breaches,
                row.left_out_contracts,
                row.locked_ns / (60 * SECOND_NS),
                _money(row.worst_equity_usd),
                row.outcome,
                row.flags,
            )
            for name, cell in zip(_OF_OUTCOMES, found, strict=True):
                columns[name].append(cell)
    return pl.DataFrame(columns, schema={"setting": pl.String, **keys, **_OF_OUTCOMES})


def _money(amount_usd: int) -> Decimal:
    return Decimal(amount_usd).scaleb(-6)


def check_place(path: Path) -> None:
    """Refuse a place that no table can be written to, before anything is worked out. Raises CannotWrite."""
    if path.is_dir():
        raise CannotWrite(f"--out {path}: is a folder; name a file in it")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise CannotWrite(f"--out {path}: is not a file, and only a file is written over")
    if not path.absolute().parent.is_dir():
        raise CannotWrite(f"--out {path}: there is no folder {path.absolute().parent}")


def write_table(table: Table, path: Path) -> None:
    """Write the table; until it is whole, what the file held stays. Raises CannotWrite."""
    check_place(path)
    place, content = path.resolve(), BytesIO()
    frame_of(table).write_parquet(content)  # It would name a full disk by an error of its own.
    unfinished: str | None = None
    try:
        handle, unfinished = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(unfinished, place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~_mask())
        os.replace(unfinished, place)
        unfinished = None
    except OSError as error:
        raise CannotWrite(f"--out {path}: cannot be written: {error.strerror or error}") from None
    finally:
        if unfinished is not None:
            with suppress(OSError):
                os.unlink(unfinished)


def _mask() -> int:
    """The mask of new files, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
