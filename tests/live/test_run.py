"""What a run changes of its process, and gives back."""

import gc
import sys

from riskcore.live.run import unhindered


def test_a_run_gives_back_what_it_changes_of_the_interpreter() -> None:
    interval = sys.getswitchinterval()
    gc.unfreeze()
    with unhindered():
        assert sys.getswitchinterval() < interval / 10
        assert gc.get_freeze_count() > 0
    assert sys.getswitchinterval() == interval
    assert gc.get_freeze_count() == 0
