"""Every word and sentence of a report, in both languages. No I/O."""

from enum import StrEnum
from typing import Final


class Lang(StrEnum):
    """The languages reports are made in."""

    ZH = "zh"
    EN = "en"


WORDS: Final[dict[str, tuple[str, str]]] = {
    # key: (zh, en)
    "sla-title": ("网络服务水平报告", "Service level report"),
    "period": ("统计周期", "Period"),
    "to": ("至", "to"),
    "zone": ("时区", "Time zone"),
    "scope": ("范围", "Scope"),
    "whole-city": ("全市", "the whole city"),
    "made-by": ("制表人", "Made by"),
    "made-at": ("制表时间", "Made at"),
    "version": ("软件版本", "Version"),
    "inputs": ("输入数据摘要 (SHA-256)", "Hash of the inputs (SHA-256)"),
    "until": ("数据截止", "Judged up to"),
    "days": ("统计天数", "Days judged"),
    "summary": ("汇总", "Summary"),
    "links": ("链路明细", "Links"),
    "listed": (
        "共 {total} 条链路，列出 {listed} 条最需关注的；CSV 文件含全部链路。",
        "{total} links, the {listed} that need attention are listed; a CSV has every one.",
    ),
    "checkpoints": ("签名检查点", "Signed checkpoints"),
    "journal": ("日志编号", "Journal"),
    "key": ("公钥", "Public key"),
    "count": ("数量", "Count"),
    "first": ("最早", "First"),
    "last": ("最晚", "Last"),
    "where": ("范围", "Scope"),
    "tier": ("类别", "Tier"),
    "link": ("链路", "Link"),
    "name": ("名称", "Name"),
    "contract": ("承诺速率 (Mbit/s)", "Contract (Mbit/s)"),
    "number": ("链路数", "Links"),
    "certified": ("已认证", "Certified"),
    "coverage": ("覆盖率", "Coverage"),
    "availability": ("可用率", "Availability"),
    "worst": ("最差可用率", "A worst"),
    "compliance": ("达标率", "Compliance"),
    "deficit": ("容量缺口", "Capacity deficit"),
    "outages": ("中断次数", "Outages"),
    "mttr": ("平均修复时间", "MTTR"),
    "mtbf": ("平均无故障时间", "MTBF"),
    "sle": ("合格课时分钟 (仅链路条款)", "Good class-minutes (link clause only)"),
    "clauses": ("课时分钟判定依据", "Class-minutes judged by"),
    "clause-link": ("链路", "the link"),
    "clauses-only": (
        "仅“{clauses}”一项条款，不含其他条款",
        "the clause of {clauses} alone, and no other",
    ),
    "clauses-some": ("以下条款: {clauses}", "these clauses: {clauses}"),
    "clauses-explain": (
        (
            "本报告的课时分钟只按教室链路自身的承诺判定，可由签名数据块重新计算。系统页面上的实时累计按全部条款"
            "（链路、丢包、域名解析、班牌、上联等）判定，两个数值不同，不可互相替代。"
        ),
        (
            "Class-minutes in this report are judged by the promise of the class's own link alone, "
            "and can be recomputed from signed blocks. The running count on the pages is judged by "
            "all clauses (link, loss, DNS, board, uplink and others). The two are different "
            "figures: neither stands for the other."
        ),
    ),
    "repairs": ("故障响应与修复 (服务时间内)", "Response and repair (in service time)"),
    "incidents": ("故障数", "Incidents"),
    "held-back": ("未告警", "Nobody told"),
    "mtta": ("平均响应时间 MTTA", "MTTA"),
    "detect": ("发现", "Detect"),
    "acknowledge": ("响应", "Acknowledge"),
    "fix": ("修复", "Fix"),
    "verify": ("验证", "Verify"),
    "level-school": ("负责级别：学校", "responsible: school"),
    "level-district": ("负责级别：区县", "responsible: district"),
    "level-city": ("负责级别：全市", "responsible: city"),
    "repairs-explain": (
        (
            "响应与修复时间取自系统的故障记录，不含在签名数据块中；括号内为该均值所依据的故障数与告警故障总数。"
            "MTTA 从告警到确认；未告警的故障（上级故障或已批准的检修）不计入。"
        ),
        (
            "Times of response and repair are the controller's record of incidents and in no "
            "signed block; in brackets: on how many of the incidents a mean rests. MTTA runs from "
            "the alarm to the acknowledgement. Incidents nobody was told of (behind a dead parent, "
            "in approved maintenance) are in no mean."
        ),
    ),
    "no-repairs": (
        "本周期内没有发出告警的故障，因此没有响应与修复时间。",
        "No incident of this period was told to anybody: no times of response and repair.",
    ),
    "rests-on": (
        "{value} (依据 {rests_on}/{incidents} 起故障)",
        "{value} (of {rests_on}/{incidents} incidents)",
    ),
    "item-mtta": ("平均响应时间 (告警至确认)", "Mean time to acknowledge (from the alarm)"),
    "item-detect": ("平均发现时间", "Mean time to detect"),
    "item-acknowledge": (
        "平均确认时间 (发现至确认)",
        "Mean time from detection to acknowledgement",
    ),
    "item-fix": ("平均排除时间", "Mean time to fix"),
    "item-verify": ("平均验证时间", "Mean time to verify"),
    "p95": ("P95 利用率", "P95 use"),
    "causes": ("不达标原因", "Causes of bad time"),
    "verdict": ("结论", "Verdict"),
    "yes": ("认证", "certified"),
    "refused-coverage": (
        "不予认证：已知时间不足 98 %",
        "not certified: less than 98 % of the time is known",
    ),
    "refused-no-service-time": ("无服务时间", "no service time in this period"),
    "refused-calendar-unknown": (
        "不予认证：校历缺少部分日期",
        "not certified: the calendar does not know all of these days",
    ),
    "none": ("无", "none"),
    "unknown": ("未知", "unknown"),
    "all": ("全部", "all"),
    "uplink": ("上联", "uplink"),
    "class": ("教室", "class"),
    "backbone": ("骨干", "backbone"),
    "wifi": ("无线", "Wi-Fi"),
    "power": ("供电", "power"),
    "cause-uplink": ("上联", "uplink"),
    "configuration": ("配置", "configuration"),
    "link-down": ("链路中断", "link down"),
    "speed": ("速率不足", "speed"),
    "duplex": ("双工", "duplex"),
    "errors": ("误码", "errors"),
    "congestion": ("拥塞", "congestion"),
    "loss": ("丢包", "loss"),
    "dns": ("域名解析", "DNS"),
    "endpoint": ("终端", "endpoint"),
    "explain": (
        (
            "可用率旁注明覆盖率；最差可用率把未知计为中断。时间、分钟与次数先相加，再求比率。"
            "每所学校的报告可用 tenone verify 由签名数据块重新计算。"
        ),
        (
            "Coverage stands beside every percentage; A worst counts unknown as down. Times, "
            "minutes and counts are added before a ratio is made of them. The report of a school "
            "can be recomputed from its signed blocks by tenone verify."
        ),
    ),
    "stamp": ("制表 {by}  {at}  SHA-256 {sha}", "made by {by}  {at}  SHA-256 {sha}"),
    "page": ("第 {page} 页，共 {pages} 页", "page {page} of {pages}"),
    "signature": ("签名", "Signature"),
    "date": ("日期", "Date"),
    # Inspection
    "weekly-title": ("每周小检修记录表", "Weekly inspection"),
    "semester-title": ("每学期大检查记录表", "Inspection of the semester"),
    "item": ("检查项目", "Item"),
    "finding": ("系统证据", "Evidence"),
    "result": ("结果", "Result"),
    "person": ("人工确认", "Confirmed by hand"),
    "remark": ("备注", "Remark"),
    "ok": ("正常", "in order"),
    "look": ("需处理", "needs work"),
    "technician": ("运维技术人员", "Technician"),
    "department-head": ("部门负责人", "Head of department"),
    "leader": ("分管领导", "Responsible leader"),
    "by-hand": (
        "本表由系统根据证据填写，须由人签字确认后生效。",
        "The system filled this sheet from evidence. It counts once people have signed it.",
    ),
    "school": ("学校", "School"),
    "item-uplink-speed": ("上联速率达标", "Uplinks at their speed"),
    "item-class-speed": ("教室速率达标", "Classes at their speed"),
    "item-outages": ("中断次数", "Outages"),
    "item-outages-open": ("尚未恢复的中断", "Outages that still last"),
    "item-coverage": ("数据完整率", "Known part of the service time"),
    "item-silent": ("无数据链路", "Links without any data"),
    "item-late-data": ("迟到数据比例", "Data that came late"),
    "item-clock": ("网关时钟偏差 (秒)", "Clock of the gateway, off by seconds"),
    "item-utilisation": ("最高 P95 利用率", "Highest P95 use"),
    "item-mttr": ("平均修复时间 (秒)", "Mean time to repair, seconds"),
    "indicators-title": ("网络覆盖指标", "Coverage indicators"),
    "schools-10g": ("万兆到校", "10G to the school"),
    "classes-1g": ("千兆到班", "1G to the class"),
    "day": ("日期", "Day"),
    "share": ("{attained}/{known} ({ratio})", "{attained} of {known} ({ratio})"),
    "quality-title": ("数据质量", "Data quality"),
    "complete": ("完整率", "Complete"),
    "late": ("迟到", "Late"),
    "late-worst": ("最大延迟", "Longest delay"),
    "skew": ("时钟偏差", "Clock skew"),
    "silent": ("无数据链路", "Silent links"),
    "blocks": ("数据块", "Blocks"),
    "district": ("区县", "District"),
}
"""Key -> Chinese, English."""


def say(key: str, lang: Lang, **values: object) -> str:
    """A word or a sentence; ``KeyError`` for one that nobody wrote."""
    zh, en = WORDS[key]
    return (zh if lang is Lang.ZH else en).format(**values)


def cause(label: str, lang: Lang) -> str:
    """A cause's name."""
    return say("cause-uplink" if label == "uplink" else label, lang)
