"""The font Symbol, whose Greek letters and signs stand at the codes of others.

Knows nothing of the files in which they are set in it.
"""

from __future__ import annotations

# What it shows, from a code on.
_ROWS = (
    (0x22, "∀#∃%&∍()∗+,−"),
    (0x40, "≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"),
    (0xA0, "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪"),
    (0xF1, "⟩∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"),
)
_LETTERS = {at: letter for first, row in _ROWS for at, letter in enumerate(row, first)}


def symbols(data: bytes) -> str:
    """What bytes look like that are set in the font Symbol."""
    return data.decode("latin-1").translate(_LETTERS)


def symbol(number: int) -> str:
    """What one of the font's characters looks like, where Unicode gives it no meaning."""
    return chr(number & 0xFF).translate(_LETTERS) if 0xF020 <= number <= 0xF0FF else chr(number)
