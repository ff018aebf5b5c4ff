"""What the acts of the audit ledger are called."""

from dashboards.ops.language import mark

NOUNS = {
    "account": mark("Account"),
    "action": mark("Action on a switch"),
    "approval": mark("Approval"),
    "audit": mark("Audit ledger"),
    "authority": mark("Certificate authority"),
    "broker": mark("Broker"),
    "config": mark("Configuration"),
    "configuration": mark("Configuration of a switch"),
    "controller": mark("Controller"),
    "drift": mark("Inventory"),
    "duty": mark("Duty register"),
    "enforcement": mark("Repairs"),
    "evidence": mark("Evidence"),
    "incident": mark("Incident"),
    "inventory": mark("Inventory"),
    "journal": mark("Journal of a gateway"),
    "key": mark("API key"),
    "ledger": mark("Ledger itself"),
    "machine": mark("Machine"),
    "maintenance": mark("Planned work"),
    "people": mark("Accounts' key"),
    "personal": mark("Personal data"),
    "poll": mark("Poll on request"),
    "quarantine": mark("Quarantine"),
    "report": mark("Report"),
    "secret": mark("Secret"),
    "session": mark("Session"),
    "ticket": mark("Ticket"),
}
"""By an act's first word; a test holds every act of the code to it."""
OUTCOMES = {"done": mark("done"), "refused": mark("refused"), "failed": mark("failed")}
MARKS = {"done": "ok", "refused": "warn", "failed": "crit"}
"""The mark of an outcome, as ui.html knows them."""
