"""A process of its own in which one student's functions are defined and graded: `python -m sslkit.course.child JOB RESULTS`.

JOB is a JSON file {"chapter", "prelude", "functions", "seed"}. To RESULTS goes a line of JSON when an exercise begins and one when its
verdict is known: so the parent knows what a dying process had done, and what it was at.
"""

import json
import sys

MEMORY = 4_000_000_000  # bytes that a student's process may have


def limited() -> None:
    """Take away what can be taken away on this system: memory beyond MEMORY, files beyond 100 MB, further core dumps."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for what, most in ((resource.RLIMIT_DATA, MEMORY), (resource.RLIMIT_FSIZE, 100_000_000), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            pass


def main(job: str, results: str) -> None:
    """Grade all functions of a job."""
    from sslkit.checks import grade

    with open(job, encoding="utf-8") as file:
        wanted = json.load(file)
    with open(results, "a", encoding="utf-8") as out:

        def say(**values: object) -> None:
            out.write(json.dumps(values) + "\n")
            out.flush()

        limited()
        names: dict = {"__name__": "__student__"}
        for code in wanted["prelude"]:
            try:
                exec(compile(code, "<notebook>", "exec"), names)
            except BaseException:  # a line that needs what is not there; a function that needs it will say so
                continue
        for name, code in wanted["functions"].items():
            say(begins=name)
            try:
                exec(compile(code, f"<{name}>", "exec"), names)
                verdict = grade(f"{wanted['chapter']}.{name}", names[name], seed=wanted["seed"]).as_dict()
            except BaseException as error:
                verdict = {"status": "wrong", "points": 0.0, "mistakes": [], "text": f"{type(error).__name__}: {error}"}
            say(name=name, verdict={key: value for key, value in verdict.items() if key != "printed"})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
