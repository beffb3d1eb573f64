"""Languages: documents asked in their own, and the words of each."""

from __future__ import annotations

import pytest

from chatbot import Chatbot
from ingest import Text, ingest
from store.language import Language, language_of, searchable

DOCUMENTS = {
    "de": (
        "Stadtarchiv",
        "Das Stadtarchiv wurde 1962 in der alten Mühle eröffnet. Im Keller lagern 14.000 "
        "Karten und Pläne aus der Zeit vor 1800. Der Eintritt kostet vier Euro, für Kinder ist"
        " er frei. Nach dem Hochwasser von 2013 mussten 300 Bände getrocknet werden. Die "
        "Restaurierung dauerte zwei Jahre und wurde vom Land bezahlt.",
    ),
    "fr": (
        "La bibliothèque",
        "La bibliothèque municipale a ouvert ses portes en 1931 dans une ancienne gare. Elle "
        "conserve 80 000 ouvrages. L'entrée est gratuite pour les habitants de la commune. Le "
        "bâtiment a été agrandi après l'incendie de 1987. Les travaux ont coûté douze millions"
        " de francs.",
    ),
    "es": (
        "El mercado",
        "El mercado central abrió en 1905 junto al puerto. Tiene ciento veinte puestos de "
        "pescado, fruta y flores. El techo de cristal fue reparado en 1998 tras una tormenta. "
        "El ayuntamiento pagó la mitad de las obras.",
    ),
    "ru": (
        "Музей",
        "Музей открылся в 1958 году в здании бывшего вокзала. В коллекции хранится более двух "
        "тысяч карт и глобусов. Самый старый глобус сделан в Нюрнберге в 1601 году. Вход для "
        "школьников бесплатный по средам. После пожара 1994 года крышу заменили полностью.",
    ),
    "zh": (
        "图书馆",
        "这座图书馆于1952年在旧火车站开放。"
        "馆内收藏了八万册图书和两千张地图。"
        "最古老的地图绘制于1601年。"
        "每周三学生可以免费入馆。"
        "1994年火灾之后,屋顶被全部更换。",
    ),
    "ja": (
        "図書館",
        "この図書館は1952年に古い駅舎に開館した。"
        "館内には八万冊の本と二千枚の地図がある。"
        "最も古い地図は1601年に描かれた。"
        "水曜日は学生の入館が無料である。",
    ),
}


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DOCENT_HOME", "DOCENT_MODEL", "DOCENT_EMBEDDER"):
            patch.delenv(name, raising=False)
        opened = Chatbot.open(home=tmp_path_factory.mktemp("languages"))
    ingest(
        [Text(source, *document) for source, document in DOCUMENTS.items()], library=opened.library
    )
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("question", "source", "says"),
    [
        ("Wann wurde das Stadtarchiv eröffnet?", "de", "1962"),
        ("Wie viele Karten lagern im Keller?", "de", "14.000"),
        ("Was kostet der Eintritt?", "de", "vier Euro"),
        ("Wer hat die Restaurierung bezahlt?", "de", "vom Land"),
        ("Quand la bibliothèque a-t-elle ouvert ?", "fr", "1931"),
        ("Combien ont coûté les travaux ?", "fr", "douze millions"),
        ("Pourquoi le bâtiment a-t-il été agrandi ?", "fr", "incendie"),
        ("¿Cuándo abrió el mercado?", "es", "1905"),
        ("¿Cuántos puestos tiene?", "es", "ciento veinte"),
        ("¿Quién pagó las obras?", "es", "ayuntamiento"),
        ("Когда открылся музей?", "ru", "1958"),
        ("Где сделан самый старый глобус?", "ru", "Нюрнберге"),
        ("图书馆什么时候开放?", "zh", "1952"),
        ("学生什么时候可以免费入馆?", "zh", "周三"),
        ("最も古い地図はいつ描かれたか?", "ja", "1601"),
    ],
)
def test_a_document_is_asked_in_its_own_language(bot, question, source, says):
    answer = bot.ask(question)
    assert answer.found
    cited = answer.citations[0]
    assert cited.source == source
    assert says in cited.quote
    assert cited.quote == bot.library.text(source)[cited.start : cited.end]


@pytest.mark.parametrize(
    "question",
    [
        "Wie hoch ist der Eiffelturm?",
        "Qui a gagné la coupe du monde ?",
        "¿Cuál es la capital de Perú?",
        "Кто написал Войну и мир?",
        "谁写了红楼梦?",
        "富士山の高さは?",
    ],
)
def test_what_no_document_says_is_refused_in_every_language(bot, question):
    assert not bot.ask(question).found


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("Who was the first man in space?", "english"),
        ("Wer war der erste Mensch im All?", "german"),
        ("Qui était le premier homme dans l'espace ?", "french"),
        ("¿Quién fue el primer hombre en el espacio?", "spanish"),
        ("Chi è stato il primo uomo nello spazio?", "italian"),
        ("Wie was de eerste mens in de ruimte?", "dutch"),
        ("Qual foi o primeiro homem no espaço?", "portuguese"),
        ("Космонавт Гагарин?", "russian"),
        ("Gagarin?", "english"),
        ("", "english"),
    ],
)
def test_the_language_of_a_question(question, name):
    assert language_of(question).name == name


def test_words_of_scripts_without_spaces_are_pairs():
    assert Language().words("Die 旧火车站 opens") == ["die", "旧火", "火车", "车站", "opens"]
    assert Language().content_words("谁写了红楼梦?") == ["红楼", "楼梦"]
    assert Language().words("猫 cat") == ["猫", "cat"]


def test_endings_are_cut_in_each_language():
    assert Language("german").stem("karten") == Language("german").stem("karte")
    assert Language("russian").stem("карты") == Language("russian").stem("карта")
    assert Language("french").words("L'entrée de l’eau") == ["l", "entrée", "de", "l", "eau"]


def test_searchable_folds_width_and_spaces_chinese():
    assert searchable("Ｋｉｍ 日本").split() == ["Kim", "日", "本"]
