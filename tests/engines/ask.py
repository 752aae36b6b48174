"""Asks the five questions of packaging/fleet of one engine, over the rows in the folder `rows`, and prints the answers as JSON.

    ask.py duckdb|spark PACKAGING_FLEET
"""

import glob
import json
import os
import sys


def statements(file):
    """Statements of a file: none of them has a semicolon or two hyphens within a text."""
    lines = [line for line in open(file, encoding="utf-8") if not line.startswith("--")]
    return [statement for statement in "".join(lines).split(";") if statement.strip()]


def duckdb():
    import duckdb

    connection = duckdb.connect(config={"threads": 2})
    return lambda statement: connection.execute(statement).fetchall()


def spark():
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = session.config("spark.ui.showConsoleProgress", "false")
    session = session.config("spark.sql.shuffle.partitions", "4").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")

    def ask(statement):
        answer = session.sql(statement)
        return [list(row) for row in answer.collect()] if answer.columns else []

    return ask


engine, folder = sys.argv[1:]
ask = {"duckdb": duckdb, "spark": spark}[engine]()
for part in (engine, "views"):
    for statement in statements(os.path.join(folder, part + ".sql")):
        ask(statement)
answers = {}
for file in sorted(glob.glob(os.path.join(folder, "[0-9]-*.sql"))):
    (question,) = statements(file)
    answers[os.path.basename(file)[0]] = [list(row) for row in ask(question)]
print(json.dumps(answers, default=str))
