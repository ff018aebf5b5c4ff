"""500 strings that mean something to a database, a query language, a label or a shell.

Made like sqlmap's: boundaries (what closes a literal) x payloads (what follows) x comments, plus
the languages of the servers this product talks to (PromQL, Flux, line protocol) and odd Unicode.
"""

from itertools import product

_BOUNDARIES = ("", "'", '"', "`", "')", '")', "';", "' ", "%'", "\\'", "\u02bc", "\uff07")
_SQL = (
    "OR 1=1",
    "OR '1'='1",
    "AND 1=2",
    "UNION SELECT NULL",
    "UNION SELECT name FROM sqlite_master",
    "UNION ALL SELECT 1,2,3,4,5,6,7,8",
    "; DROP TABLE link",
    "; DELETE FROM action WHERE 1=1",
    "; UPDATE account SET grants='[]'",
    "; ATTACH DATABASE '/tmp/x' AS x",
    "; PRAGMA writable_schema=1",
    "ORDER BY 99",
    "LIMIT -1",
    "LIKE '%'",
    "GLOB '*'",
    "IN (SELECT id FROM school)",
    "AND randomblob(100000000)",
    "AND load_extension('x')",
    "AND (SELECT pg_sleep(9)) IS NULL",
    "WAITFOR DELAY '0:0:9'",
    "AND SLEEP(9)",
    "|| (SELECT secret FROM http_session)",
    "HAVING COUNT(*)>0",
    "RETURNING *",
)
_COMMENTS = ("", " --", " #", " /*", "\0", ";--")
_OTHER = (
    '{__name__=~".+"}',
    'up{job="x"} or vector(1)',
    '"} or up{a="',
    'no1",link="x',
    'a\nb="c"',
    "rate(x[5m])",
    '"} offset 1w or {a="b',
    'from(bucket:"x") |> range(start:-1h)',
    '") |> drop(columns:["a"]) //',
    'import "sql"',
    "m,tag=a\\ b value=1 1",
    "a b=1\nc d=2",
    "x,y=z",
    "$where: '1 == 1'",
    '{"$gt": ""}',
    '{"$ne": null}',
    "[$ne]=1",
    "*)(uid=*))(|(uid=*",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "${7*7}",
    "<%= 7*7 %>",
    "#{7*7}",
    "{% for x in ().__class__.__mro__ %}",
    "__import__('os').system('id')",
    "; id",
    "| id",
    "$(id)",
    "`id`",
    "& ping -c 9 127.0.0.1 &",
    "\r\nSet-Cookie: tenone=x",
    "%0d%0aSet-Cookie:%20tenone=x",
    "%s%s%s%n",
    "{0.__class__}",
    "%(asctime)s",
    "..",
    ".",
    "%",
    "_",
    "%25",
    "*",
    "?",
    "\\",
    "\\\\",
    "'",
    '"',
    "\0",
    "a\0b",
    "\x1b[2J",
    "\u202e1on",
    "\u0000\uffff",
    "\ufffd",
    "\U0001f600",
    "e\u0301",
    "\u2160",
    "\uff4e\uff4f\uff11",
    "no1 ",
    " no1",
    "NO1",
    "no1\n",
    "no1/../no2",
    "binhai/east/no1'",
    "1e309",
    "-1",
    "NaN",
    "9" * 30,
    "true",
    "null",
    "None",
    "a" * 5000,
    "'" * 300,
    "(" * 500,
    "[" * 500,
    "\t",
    "2026-02-30",
    "0000-00-00",
    "9999-12-31T23:59:59Z",
    "-271821-04-20",
    "2026-09-01' OR 1=1",
    "K' OR '1'='1",
    "bm8x=x",
    "====",
)


def payloads() -> list[str]:
    """Exactly 500, all different, in an order that mixes the kinds."""
    sql = [
        f"{word}{boundary} {text}{comment}"
        for (boundary, text, comment), word in zip(
            product(_BOUNDARIES, _SQL, _COMMENTS), ("no1", "", "good", "1") * 10_000, strict=False
        )
    ]
    wanted = 500 - len(_OTHER)
    step = len(sql) / wanted
    chosen = [sql[int(number * step)] for number in range(wanted)]
    mixed = [*_OTHER, *chosen]
    # 173 is prime to 500: neighbours in the list are of different kinds
    return [mixed[number * 173 % 500] for number in range(500)]
