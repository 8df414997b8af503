"""Names of months and days, and usual forms of dates, in the languages the formatter speaks (as JDK 17 has them)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from casemate.expressions.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """What one language and country needs; lists are written with `|` between the entries."""

    months: str
    short_months: str
    alone_months: str = ""  #: where a month stands alone, if it looks different then
    short_alone_months: str = ""
    days: str
    short_days: str
    narrow_days: str
    halves: str  #: before and after noon
    eras: str  #: short and long name of our era
    short_quarters: str
    quarters: str
    first_day: int  #: of a week, Monday is 1
    least_days: int  #: of a year's first week
    full: str
    long: str
    medium: str
    short: str


_LOCALES: Mapping[str, Locale] = {
    "en_US": Locale(
        months="January|February|March|April|May|June|July|August|September|October|November|December",
        short_months="Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec",
        days="Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
        short_days="Mon|Tue|Wed|Thu|Fri|Sat|Sun",
        narrow_days="M|T|W|T|F|S|S",
        halves="AM|PM",
        eras="AD|Anno Domini",
        short_quarters="Q1|Q2|Q3|Q4",
        quarters="1st quarter|2nd quarter|3rd quarter|4th quarter",
        first_day=7,
        least_days=1,
        full="EEEE, MMMM d, y 'at' h:mm:ss a zzzz",
        long="MMMM d, y 'at' h:mm:ss a z",
        medium="MMM d, y, h:mm:ss a",
        short="M/d/yy, h:mm a",
    ),
    "en_GB": Locale(
        months="January|February|March|April|May|June|July|August|September|October|November|December",
        short_months="Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept|Oct|Nov|Dec",
        days="Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
        short_days="Mon|Tue|Wed|Thu|Fri|Sat|Sun",
        narrow_days="M|T|W|T|F|S|S",
        halves="am|pm",
        eras="AD|Anno Domini",
        short_quarters="Q1|Q2|Q3|Q4",
        quarters="1st quarter|2nd quarter|3rd quarter|4th quarter",
        first_day=1,
        least_days=4,
        full="EEEE, d MMMM y 'at' HH:mm:ss zzzz",
        long="d MMMM y 'at' HH:mm:ss z",
        medium="d MMM y, HH:mm:ss",
        short="dd/MM/y, HH:mm",
    ),
    "fr_FR": Locale(
        months="janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre",
        short_months="janv.|févr.|mars|avr.|mai|juin|juil.|août|sept.|oct.|nov.|déc.",
        days="lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche",
        short_days="lun.|mar.|mer.|jeu.|ven.|sam.|dim.",
        narrow_days="L|M|M|J|V|S|D",
        halves="AM|PM",
        eras="ap. J.-C.|après Jésus-Christ",
        short_quarters="T1|T2|T3|T4",
        quarters="1er trimestre|2e trimestre|3e trimestre|4e trimestre",
        first_day=1,
        least_days=4,
        full="EEEE d MMMM y 'à' HH:mm:ss zzzz",
        long="d MMMM y 'à' HH:mm:ss z",
        medium="d MMM y, HH:mm:ss",
        short="dd/MM/y HH:mm",
    ),
    "de_DE": Locale(
        months="Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember",
        short_months="Jan.|Feb.|März|Apr.|Mai|Juni|Juli|Aug.|Sept.|Okt.|Nov.|Dez.",
        short_alone_months="Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez",
        days="Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonntag",
        short_days="Mo.|Di.|Mi.|Do.|Fr.|Sa.|So.",
        narrow_days="M|D|M|D|F|S|S",
        halves="AM|PM",
        eras="n. Chr.|n. Chr.",
        short_quarters="Q1|Q2|Q3|Q4",
        quarters="1. Quartal|2. Quartal|3. Quartal|4. Quartal",
        first_day=1,
        least_days=4,
        full="EEEE, d. MMMM y 'um' HH:mm:ss zzzz",
        long="d. MMMM y 'um' HH:mm:ss z",
        medium="dd.MM.y, HH:mm:ss",
        short="dd.MM.yy, HH:mm",
    ),
    "es_ES": Locale(
        months="enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre",
        short_months="ene|feb|mar|abr|may|jun|jul|ago|sept|oct|nov|dic",
        days="lunes|martes|miércoles|jueves|viernes|sábado|domingo",
        short_days="lun|mar|mié|jue|vie|sáb|dom",
        narrow_days="L|M|X|J|V|S|D",
        halves="a. m.|p. m.",
        eras="anno Dómini|después de Cristo",
        short_quarters="T1|T2|T3|T4",
        quarters="1.er trimestre|2.º trimestre|3.er trimestre|4.º trimestre",
        first_day=1,
        least_days=4,
        full="EEEE, d 'de' MMMM 'de' y, H:mm:ss (zzzz)",
        long="d 'de' MMMM 'de' y, H:mm:ss z",
        medium="d MMM y H:mm:ss",
        short="d/M/yy H:mm",
    ),
    "it_IT": Locale(
        months="gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|dicembre",
        short_months="gen|feb|mar|apr|mag|giu|lug|ago|set|ott|nov|dic",
        days="lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica",
        short_days="lun|mar|mer|gio|ven|sab|dom",
        narrow_days="L|M|M|G|V|S|D",
        halves="AM|PM",
        eras="dopo Cristo|d.C.",
        short_quarters="T1|T2|T3|T4",
        quarters="1º trimestre|2º trimestre|3º trimestre|4º trimestre",
        first_day=1,
        least_days=4,
        full="EEEE d MMMM y HH:mm:ss zzzz",
        long="d MMMM y HH:mm:ss z",
        medium="d MMM y, HH:mm:ss",
        short="dd/MM/yy, HH:mm",
    ),
    "pt_BR": Locale(
        months="janeiro|fevereiro|março|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro",
        short_months="jan.|fev.|mar.|abr.|mai.|jun.|jul.|ago.|set.|out.|nov.|dez.",
        days="segunda-feira|terça-feira|quarta-feira|quinta-feira|sexta-feira|sábado|domingo",
        short_days="seg.|ter.|qua.|qui.|sex.|sáb.|dom.",
        narrow_days="S|T|Q|Q|S|S|D",
        halves="AM|PM",
        eras="d.C.|depois de Cristo",
        short_quarters="T1|T2|T3|T4",
        quarters="1º trimestre|2º trimestre|3º trimestre|4º trimestre",
        first_day=7,
        least_days=1,
        full="EEEE, d 'de' MMMM 'de' y HH:mm:ss zzzz",
        long="d 'de' MMMM 'de' y HH:mm:ss z",
        medium="d 'de' MMM 'de' y HH:mm:ss",
        short="dd/MM/y HH:mm",
    ),
    "nl_NL": Locale(
        months="januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december",
        short_months="jan.|feb.|mrt.|apr.|mei|jun.|jul.|aug.|sep.|okt.|nov.|dec.",
        days="maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag",
        short_days="ma|di|wo|do|vr|za|zo",
        narrow_days="M|D|W|D|V|Z|Z",
        halves="a.m.|p.m.",
        eras="n. Chr.|na Christus",
        short_quarters="K1|K2|K3|K4",
        quarters="1e kwartaal|2e kwartaal|3e kwartaal|4e kwartaal",
        first_day=1,
        least_days=4,
        full="EEEE d MMMM y 'om' HH:mm:ss zzzz",
        long="d MMMM y 'om' HH:mm:ss z",
        medium="d MMM y HH:mm:ss",
        short="dd-MM-y HH:mm",
    ),
    "pl_PL": Locale(
        months="stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|września|października|listopada|grudnia",
        short_months="sty|lut|mar|kwi|maj|cze|lip|sie|wrz|paź|lis|gru",
        alone_months="styczeń|luty|marzec|kwiecień|maj|czerwiec|lipiec|sierpień|wrzesień|październik|listopad|grudzień",
        days="poniedziałek|wtorek|środa|czwartek|piątek|sobota|niedziela",
        short_days="pon.|wt.|śr.|czw.|pt.|sob.|niedz.",
        narrow_days="p|w|ś|c|p|s|n",
        halves="AM|PM",
        eras="n.e.|n.e.",
        short_quarters="I kw.|II kw.|III kw.|IV kw.",
        quarters="I kwartał|II kwartał|III kwartał|IV kwartał",
        first_day=1,
        least_days=4,
        full="EEEE, d MMMM y HH:mm:ss zzzz",
        long="d MMMM y HH:mm:ss z",
        medium="d MMM y, HH:mm:ss",
        short="dd.MM.y, HH:mm",
    ),
}

_BY_LANGUAGE: Mapping[str, Locale] = {name[:2]: locale for name, locale in reversed(list(_LOCALES.items()))}
DEFAULT = _LOCALES["en_US"]


def locale(name: str) -> Locale:
    """The locale of a name like `fr_FR`, `fr-FR` or `fr`; raises `Fault` for a language nobody taught us."""
    known = _LOCALES.get(name.replace("-", "_"))
    if known is None and name[2:3] in ("", "_", "-"):
        known = _BY_LANGUAGE.get(name[:2].lower())
    if known is None:
        raise Fault(f"The locale '{name}' is not known here; known are {', '.join(_LOCALES)}")
    return known if name[2:] else replace(known, first_day=7, least_days=1)  # weeks depend on the country
