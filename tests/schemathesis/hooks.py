"""What a description cannot give Schemathesis: things that are there. Two of three requests of the right form get real ids, free times
and versions of the running demo, so that they are answered with more than "there is no such patient".

`hooks.py ANSWERS DESCRIPTION` then says how each operation was answered, and fails when one never succeeded.
"""

import collections
import datetime
import functools
import http.cookiejar
import itertools
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ.get("BEDSIDE_URL", "")
# The desk's token makes what a request of any role needs.
DESK = os.environ.get("BEDSIDE_DESK_TOKEN", "")
ANSWERS = os.environ.get("BEDSIDE_ANSWERS", os.devnull)
# Who may sign in to the demo.
READY = os.environ.get("BEDSIDE_READY", os.devnull)

# Answers that show who was offered a time, counted like an operation.
OFFERED = "(a waitlist with offers)"

# Roles run beside each other, each with times of its own.
PART, PARTS = int(os.environ.get("BEDSIDE_PART", "0")), 3

# Of so many requests of the right form one stays as Schemathesis made it.
AS_IT_IS = 3


class Demo:
    """The running demo, as its desk's program finds it."""

    def __init__(self):
        self.patients = itertools.cycle(self.items("patients?limit=200")[PART::PARTS])
        types = [one for one in self.items("visit-types") if one["name"] == "Consultation"]
        first = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=2)
        last = first + datetime.timedelta(days=20)
        query = {"visit_type_id": types[0]["id"], "from": first, "to": last, "limit": 200}
        # Every third of one's own, so that what is moved has somewhere to go.
        slots = itertools.chain.from_iterable(self.pages("slots?" + urllib.parse.urlencode(query)))
        self.slots = itertools.islice(slots, 3 * PART, None, 3 * PARTS)
        self.rooms = [one["id"] for one in self.items("resources") if one["kind"] == "room"]

    def call(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {DESK}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{URL}/api/v1/{path}", data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def items(self, path):
        return self.call("GET", path)["items"]

    def pages(self, path):
        cursor = ""
        while cursor is not None:
            page = self.call("GET", f"{path}{cursor}")
            yield page["items"]
            cursor = page["next"] and f"&cursor={page['next']}"

    def patient(self):
        return next(self.patients)["id"]

    def time(self):
        """A free time: with whom, for what, from when."""
        slot = next(self.slots)
        return {name: slot[name] for name in ("practitioner_id", "visit_type_id", "start")}

    def booking(self):
        return self.time() | {"patient_id": self.patient()}

    def made(self, path, wish):
        """What was wished for. Another request may have been quicker, or keeps the patient busy: then at the next time."""
        for _ in range(50):
            try:
                return self.call("POST", path, wish())
            except urllib.error.HTTPError as refusal:
                if refusal.code != 409:
                    raise
        raise RuntimeError("no time is free")

    def appointment(self):
        return self.made("appointments", self.booking)

    def held(self):
        return self.made("holds", self.time)

    def visits_of_today(self):
        """Those that somebody can come to, or has come to; first whoever is still expected."""
        today = datetime.datetime.now(datetime.UTC)
        first = (today - datetime.timedelta(hours=12)).strftime("%Y-%m-%dT%H:%M:%SZ")
        last = (today + datetime.timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M:%SZ")
        visits = self.items(f"appointments?from={first}&to={last}&limit=200")
        return [one for state in ("booked", "arrived") for one in visits if one["state"] == state]

    def of_today(self):
        return self.visits_of_today()[0]

    @functools.cached_property
    def consultation(self):
        """A visit that its practitioner has begun: no program can, so they do it on the page. Each role has another one."""
        with open(READY, encoding="utf-8") as text:
            accounts = {one["name"]: one for one in json.load(text)["accounts"]}
        names = {one["id"]: one["name"] for one in self.items("practitioners")}
        for visit in self.visits_of_today()[::-1][PART:]:
            if visit["state"] == "booked":
                self.call("POST", f"appointments/{visit['id']}/arrive")
            account = accounts[names[visit["practitioner_id"]]]
            page = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
            page.addheaders = [("Origin", URL), ("Sec-Fetch-Site", "same-origin")]
            page.open(f"{URL}/sign-in", urllib.parse.urlencode({name: account[name] for name in ("email", "password")}).encode())
            page.open(f"{URL}/appointments/{visit['id']}/admit", b"")
            return visit["id"]
        raise RuntimeError("nobody can come today")

    def wait(self):
        """Somebody who would take any time of the next weeks."""
        today = datetime.datetime.now(datetime.UTC).date()
        days = {"from_date": today + datetime.timedelta(days=1), "to_date": today + datetime.timedelta(days=30)}
        kind = {"patient_id": self.patient(), "visit_type_id": self.time()["visit_type_id"]}
        return kind | {name: str(day) for name, day in days.items()}


def filled(demo, name, case):
    """Puts what is there into a request."""
    if name in ("book_appointment", "hold", "walk_in"):
        # The reason of an overbooking may stay as it was made up; what else was is nowhere.
        real = demo.booking()
        if name == "walk_in":
            del real["start"]
        optional = {key: case.body[key] for key in ("overbook_reason", "seconds") if case.body.get(key) is not None}
        case.body = real | (optional if name != "walk_in" else {})
        if name == "book_appointment" and demo.rooms:
            case.body["room_id"] = demo.rooms[0]
    elif name == "book_series":
        case.body = {"first": demo.booking(), "recurrence": "FREQ=WEEKLY;COUNT=3", "leave_out_conflicts": True}
    elif name in ("get_appointment", "cancel_appointment", "reschedule_appointment", "arrive"):
        appointment = demo.of_today() if name == "arrive" else demo.appointment()
        case.path_parameters["id"] = appointment["id"]
        if name == "reschedule_appointment":
            case.body = {"start": appointment["start"], "reason": case.body["reason"]}
            later = datetime.datetime.fromisoformat(appointment["start"]) + datetime.timedelta(minutes=30)
            case.body["start"] = later.strftime("%Y-%m-%dT%H:%M:%SZ")
        if name != "get_appointment":
            case.headers["If-Match"] = f'"{appointment["version"]}"'
    elif name == "make_join_token":
        case.path_parameters["id"] = demo.consultation
        case.body = {"role": "device", "name": "Examination camera"}
    elif name == "get_patient":
        case.path_parameters["id"] = demo.patient()
    elif name == "get_practitioner":
        case.path_parameters["id"] = demo.time()["practitioner_id"]
    elif name == "release_hold":
        case.path_parameters["id"] = demo.held()["id"]
    elif name == "add_to_waitlist":
        case.body = demo.wait()
    elif name == "withdraw_from_waitlist":
        case.path_parameters["id"] = demo.call("POST", "waitlist", demo.wait())["id"]
    elif name == "list_waitlist":
        # A time that comes free is offered to whoever waits.
        demo.call("POST", "waitlist", demo.wait())
        demo.call("POST", f"appointments/{demo.appointment()['id']}/cancel", {"reason": "Feeling better."})
        case.query = {}
    elif name == "list_slots":
        case.query["visit_type_id"] = demo.time()["visit_type_id"]
        for bound in ("from", "to", "practitioner_id", "cursor"):
            case.query.pop(bound, None)
    elif name == "list_appointments":
        for bound in ("from", "to", "cursor"):
            case.query.pop(bound, None)
    elif name == "create_webhook":
        case.body = {"url": "http://127.0.0.1:9/hook", "allow_private": True}
    elif "cursor" in case.query:
        del case.query["cursor"]


def install():
    """The hooks themselves."""
    import schemathesis

    demo = Demo()
    seen = collections.Counter()
    webhooks = []

    @schemathesis.hook
    def before_call(context, case, kwargs):
        name = case.operation.definition.raw.get("operationId")
        meta = case.meta
        if meta is None or not meta.generation.mode.is_positive:
            return
        seen[name] += 1
        if seen[name] % AS_IT_IS == 0:
            return
        if name in ("disable_webhook", "list_deliveries"):
            case.path_parameters["id"] = webhooks[0] if webhooks else case.path_parameters["id"]
        else:
            filled(demo, name, case)

    @schemathesis.hook
    def after_call(context, case, response):
        name = case.operation.definition.raw.get("operationId")
        if name == "create_webhook" and response.status_code == 201:
            webhooks.append(response.json()["id"])
        told = [[name, response.status_code]]
        if name == "list_waitlist" and response.status_code == 200 and any(one["offers"] for one in response.json()["items"]):
            told.append([OFFERED, 200])
        with open(ANSWERS, "a", encoding="utf-8") as answers:
            answers.writelines(json.dumps(one) + "\n" for one in told)


def summary(answers, description):
    """How each operation was answered; 1 when one never succeeded."""
    counts = collections.defaultdict(collections.Counter)
    with open(answers, encoding="utf-8") as lines:
        for name, status in map(json.loads, lines):
            counts[name][status // 100] += 1
    with open(description, encoding="utf-8") as text:
        paths = json.load(text)["paths"]
    operations = [one["operationId"] for path in paths.values() for one in path.values()] + [OFFERED]
    print(f"\n{'operation':<26}{'2xx':>6}{'4xx':>7}{'5xx':>6}")
    never = []
    for name in operations:
        print(f"{name:<26}{counts[name][2]:>6}{counts[name][4]:>7}{counts[name][5]:>6}")
        if counts[name][2] == 0:
            never.append(name)
    if never:
        print(f"Never answered with 2xx: {', '.join(never)}")
    return 1 if never else 0


if __name__ == "__main__":
    sys.exit(summary(*sys.argv[1:]))
elif URL:
    install()
