"""What is a plain quote by its shape, whatever stands before it."""

from adapters.topstepx.plain_quotes import QuoteShapes

HEAD = rb'\{"type": ?, ?'
RECORD = b'{"type":1,"target":"GatewayQuote","arguments":["CON.F.US.%s.Z25",{"lastPrice":1.25%s}]}\n'


def test_knows_shapes_of_many_contracts_without_growing() -> None:
    shapes = QuoteShapes(HEAD)
    for index in range(5000):
        letters = bytes(65 + index // 26**place % 26 for place in range(3))
        assert shapes.plain(RECORD % (letters, b"")) is True
    assert len(shapes._known) <= 4097


def test_a_shape_longer_than_any_quote_is_no_quote_and_not_remembered() -> None:
    shapes = QuoteShapes(HEAD)
    long = RECORD % (b"ENQ", b',"symbol":"%s"' % (b"x" * 5000))
    short = RECORD % (b"ENQ", b',"symbol":"%s"' % (b"x" * 500))
    assert shapes.plain(long + short) == [False, True]
    assert len(shapes._known) == 1
