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
CHARSETS = {
    **{0: "cp1252", 2: "symbol", 77: "mac-roman", 78: "shift_jis", 80: "gb2312", 81: "big5"},
    **{128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5", 161: "cp1253"},
    **{162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257"},
    **{204: "cp1251", 222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850"},
}
