"""Words that stand for each other's opposites: a short list, and what a prefix turns round.

Knows nothing about sentences beyond their words.
"""

from __future__ import annotations

from chatbot.facts import Facts, plain

_PAIRS = """increase decrease|increased decreased|increases decreases|rise fall|rose fell|
rising falling|rises falls|grow shrink|grew shrank|gain loss|gained lost|win lose|won lost|
wins loses|before after|above below|over under|more less|more fewer|most least|most fewest|
high low|higher lower|highest lowest|large small|larger smaller|largest smallest|big small|
bigger smaller|biggest smallest|long short|longer shorter|longest shortest|old young|old new|
older younger|oldest youngest|early late|earlier later|earliest latest|first last|begin end|
began ended|start end|started ended|start stop|open close|opened closed|accept reject|
accepted rejected|approve reject|approved rejected|allow forbid|allowed forbidden|
allowed prohibited|allow prohibit|permit prohibit|permitted prohibited|support oppose|
supported opposed|supports opposes|agree disagree|true false|right wrong|right left|
right-wing left-wing|north south|northern southern|east west|eastern western|male female|
man woman|men women|husband wife|father mother|son daughter|brother sister|king queen|
import export|imports exports|buy sell|bought sold|maximum minimum|inside outside|
internal external|hot cold|warm cool|dead alive|died survived|success failure|
succeeded failed|strong weak|stronger weaker|strengthen weaken|rich poor|public private|
positive negative|always never|all none|with without|include exclude|included excluded|
includes excludes|arrive depart|arrived departed|enter leave|entered left|attack defend|
friend enemy|war peace|day night|light dark|fast slow|faster slower|safe dangerous|
better worse|best worst|good bad|easy difficult|easy hard|same different|
similar different|rare common|hire fire|hired fired|borrow lend|ancient modern|
visible hidden|major minor|majority minority|upper lower|wide narrow|heavy light|
empty full|add remove|added removed|join leave|joined left|create destroy|built destroyed|
love hate|loved hated|innocent guilty|guilty acquitted|appoint dismiss|appointed dismissed|
mandatory optional|required optional|temporary permanent|domestic foreign|past future|
teacher student|summer winter|morning evening|plus minus|profit loss|profits losses"""
_PREFIXES = ("un", "in", "im", "il", "ir", "dis", "non")
OPPOSITES: dict[str, set[str]] = {}
"""Words as they are written, each with its opposites."""
for _pair in _PAIRS.split("|"):
    _one, _other = _pair.split()
    OPPOSITES.setdefault(_one, set()).add(_other)
    OPPOSITES.setdefault(_other, set()).add(_one)
_OPPOSITE: dict[str, set[str]] = {}
for _one, _others in OPPOSITES.items():
    _OPPOSITE.setdefault(plain(_one), set()).update(map(plain, _others))


def opposed(claim: Facts, quote: Facts) -> list[tuple[str, str]]:
    """Words of the claim that the quote has not, each with its opposite, which it has."""
    has = {word.stem: word.text for word in quote.words}
    found = []
    for stem, text in {word.stem: word.text for word in claim.words}.items():
        if stem in has:
            continue
        against = _OPPOSITE.get(stem, set()) | {prefix + stem for prefix in _PREFIXES}
        against |= {stem.removeprefix(prefix) for prefix in _PREFIXES} - {stem}
        there = sorted(other for other in against if len(other) > 3 or other in _OPPOSITE)
        found += [(text, has[other]) for other in there if other in has][:1]
    return found
