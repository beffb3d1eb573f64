"""Words of rich text (rtf) that its reader looks up: tables only."""

from __future__ import annotations

# Groups without words of the document.
SKIP = frozenset(
    """fonttbl colortbl stylesheet pict objdata objclass fldinst datafield themedata xmlnstbl
    colorschememapping listtable listoverridetable rsidtbl generator latentstyles datastore
    bkmkstart bkmkend nonshppict nonesttables nesttableprops revtbl filetbl private xe tc tcf
    pgptbl background shprslt sp sn sv falt panose info userprops atnid atndate atnref atnicn
    atntime atnparent mmathPr defchp defpap template wgrffmtfilter footnotesep footnotesepc aftnsep
    aftnsepc blipuid picprop objalias objname protusertbl oldcprops""".split()
)
# Starred groups whose words count, though old programs may ignore them.
STARRED = frozenset(
    """shptxt do dptxbxtext annotation atnauthor shppict shpinst pntext ud footnote moMathPara
    moMath""".split()
)
FORMULA_MARKS = {  # before a part of a formula
    "msup": "^",
    "msub": "_",
    "mden": "/",
}
BOXES = frozenset({"shptxt", "dptxbxtext"})  # of text, beside a paragraph
LISTS = frozenset({"listtext", "pntext"})
ASIDES = {  # how one is called, the section that they are in
    "footnote": ("Footnote", "footnotes"),
    "annotation": ("Comment", "comments"),
    **{f"header{side}": ("Header", "headers and footers") for side in ("", "l", "r", "f")},
    **{f"footer{side}": ("Footer", "headers and footers") for side in ("", "l", "r", "f")},
}
CHARACTERS = {
    **{"emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“"},
    **{"rdblquote": "”", "bullet": "•", "tab": "\t", "line": "\n", "emspace": " "},
    **{"enspace": " ", "qmspace": " ", "lbr": "\n", "softline": "\n"},
}
SYMBOLS = {b"~": "\u00a0", b"_": "\u2011"}
ESCAPED = frozenset({b"\\", b"{", b"}"})
CODEPAGES = {  # those of which Python does not have the number
    **{10000: "mac_roman", 10001: "shift_jis", 10004: "mac_arabic", 10006: "mac_greek"},
    **{10007: "mac_cyrillic", 10029: "mac_latin2", 10079: "mac_iceland", 10081: "mac_turkish"},
    **{20866: "koi8_r", 20932: "euc_jp", 28591: "cp1252", 28592: "iso8859_2", 28595: "iso8859_5"},
    **{28597: "iso8859_7", 28605: "iso8859_15", 51949: "euc_kr", 65001: "utf-8"},
}
CHARSETS = {
    **{0: "cp1252", 2: "symbol", 77: "mac-roman", 78: "shift_jis", 80: "gb2312", 81: "big5"},
    **{128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5", 161: "cp1253"},
    **{162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257"},
    **{204: "cp1251", 222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850"},
}
# What the font Symbol shows, from a code on.
SYMBOL_LETTERS = (
    (0x22, "∀#∃%&∍()∗+,−"),
    (0x40, "≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"),
    (0xA0, "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪"),
    (0xF1, "⟩∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"),
)
