"""What is said of a fault and its repair, in English and Chinese, in words a teacher understands.

Pure. Every text has the same places in both languages; a test compares them.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from tenone.vocabulary.repairs import RepairStep


class Text(StrEnum):
    """One sentence."""

    SLOW = "slow"
    SLOW_BOUNCE = "slow-bounce"
    SLOW_FIBRE = "slow-fibre"
    HALF = "half"
    HALF_BOUNCE = "half-bounce"
    SHUT = "shut"
    SHUT_MEANT = "shut-meant"
    SILENT_POWERED = "silent-powered"
    BOARD_POWERED = "board-powered"
    DARK = "dark"
    DARK_FIBRE = "dark-fibre"
    BROKEN_FRAMES = "broken-frames"
    FULL = "full"
    LOSS = "loss"
    NAMES = "names"
    BOARD = "board"
    SHADOWED = "shadowed"
    MEASURE = "measure"
    CARRY = "carry"
    CARRY_PAIR = "carry-pair"
    CARRY_PAIR_AT = "carry-pair-at"
    CABLE_WELL = "cable-well"
    PERSON = "person"
    HINDERED = "hindered"


EN: Mapping[Text, str] = MappingProxyType({
    Text.SLOW: "{name}: the port runs at {speed} instead of {contract}; TenOne can let it "
        "negotiate again (switch {switch}, port {port}).",
    Text.SLOW_BOUNCE: "{name}: the port negotiates and got {speed} instead of {contract}; TenOne "
        "can close and reopen it once (switch {switch}, port {port}).",
    Text.SLOW_FIBRE: "{name}: the link runs at {speed} instead of {contract}, and its speed is "
        "that of the module: look at the modules at both ends (switch {switch}, port {port}).",
    Text.HALF: "{name}: the port talks or listens but never both (half duplex); TenOne can let "
        "it negotiate again (switch {switch}, port {port}).",
    Text.HALF_BOUNCE: "{name}: the port negotiates and got half duplex; TenOne can close and "
        "reopen it once (switch {switch}, port {port}).",
    Text.SHUT: "{name}: the port is shut; TenOne can open it (switch {switch}, port {port}).",
    Text.SHUT_MEANT: "{name}: the port is shut, perhaps on purpose ({why}); a person can have "
        "TenOne open it (switch {switch}, port {port}).",
    Text.SILENT_POWERED: "{name}: the device gets its power from the switch and is silent; "
        "TenOne can take the power away and give it back (switch {switch}, port {port}).",
    Text.BOARD_POWERED: "{name}: the class board does not answer although its port is well; it "
        "gets its power from the switch, and TenOne can restart it that way (switch {switch}, port "
        "{port}).",
    Text.DARK: "{name}: nothing answers at the other end of the cable. See in {room} whether the "
        "device is on and the plug sits; carry a patch cord (switch {switch}, port {port}).",
    Text.DARK_FIBRE: "{name}: no light comes from the other end. Look at the far device and at "
        "the modules; carry a fibre patch cord and a module (switch {switch}, port {port}).",
    Text.BROKEN_FRAMES: "{name}: frames arrive broken, most often a bad cable or plug; TenOne "
        "can measure the cable (switch {switch}, port {port}).",
    Text.FULL: "{name}: the line is full. That is no fault of the port: see who uses it (switch "
        "{switch}, port {port}).",
    Text.LOSS: "{name}: packets are lost beyond the port, which is well: ask the carrier or look "
        "at what stands behind it (switch {switch}, port {port}).",
    Text.NAMES: "{name}: names are not resolved (DNS); the port is well, look at the DNS server.",
    Text.BOARD: "{name}: the class board does not answer although its port is well: see in "
        "{room} whether it is on and its program runs.",
    Text.SHADOWED: "{name}: it is cut off by other trouble ({why}); that comes first.",
    Text.MEASURE: "{name}: a repair was tried and did not last; TenOne can measure the "
        "cable to tell which part to carry (switch {switch}, port {port}).",
    Text.CARRY: "{name}: software cannot repair this; what was tried did not last. Carry a "
        "patch cord to {room} and to switch {switch}, port {port}, and exchange both ends first.",
    Text.CARRY_PAIR: "{name}: pair {pair} of the cable is {state}: carry a patch cord to {room} "
        "and to switch {switch}, port {port}.",
    Text.CARRY_PAIR_AT: "{name}: pair {pair} of the cable is {state} at {metres} m from the "
        "switch (switch {switch}, port {port}). Look there first: the first metres are the patch "
        "cord at the switch, the last ones that in {room}, between them is the cable in the wall.",
    Text.CABLE_WELL: "{name}: the cable is well and the repair did not help: look at the network "
        "card of the device in {room} (switch {switch}, port {port}).",
    Text.PERSON: "{name}: the port is neither as before nor as wanted: a person has to look at "
        "switch {switch}, port {port}, now.",
    Text.HINDERED: "{name}: TenOne cannot repair this here: {why} (switch {switch}, port {port}).",
})  # fmt: skip
ZH: Mapping[Text, str] = MappingProxyType({
    Text.SLOW: "{name}：端口现在只有 {speed}，应为 {contract}；TenOne 可以让它重新协商（交换机 {s"
        "witch}，端口 {port}）。",
    Text.SLOW_BOUNCE: "{name}：端口已是自动协商，却只得到 {speed}，应为 {contract}；TenOne 可以把"
        "它关闭再打开一次（交换机 {switch}，端口 {port}）。",
    Text.SLOW_FIBRE: "{name}：线路现在是 {speed}，应为 {contract}，速率由光模块决定：请检查两端的"
        "光模块（交换机 {switch}，端口 {port}）。",
    Text.HALF: "{name}：端口工作在半双工；TenOne 可以让它重新协商（交换机 {switch}，端口 {port}）"
        "。",
    Text.HALF_BOUNCE: "{name}：端口已是自动协商，却得到半双工；TenOne 可以把它关闭再打开一次（交"
        "换机 {switch}，端口 {port}）。",
    Text.SHUT: "{name}：端口被关闭；TenOne 可以打开它（交换机 {switch}，端口 {port}）。",
    Text.SHUT_MEANT: "{name}：端口被关闭，可能是有意的（{why}）；如需打开，请人工提出（交换机 {sw"
        "itch}，端口 {port}）。",
    Text.SILENT_POWERED: "{name}：设备由交换机供电但没有反应；TenOne 可以断电后再恢复供电（交换机"
        " {switch}，端口 {port}）。",
    Text.BOARD_POWERED: "{name}：端口正常，但班牌没有反应；它由交换机供电，TenOne 可以通过断电重"
        "启它（交换机 {switch}，端口 {port}）。",
    Text.DARK: "{name}：网线另一端没有反应。请到{room}看设备是否开机、插头是否插好；带一根跳线（"
        "交换机 {switch}，端口 {port}）。",
    Text.DARK_FIBRE: "{name}：对端没有光信号。请检查对端设备和光模块；带一根光纤跳线和一个光模块"
        "（交换机 {switch}，端口 {port}）。",
    Text.BROKEN_FRAMES: "{name}：收到的数据帧有错误，多半是网线或插头问题；TenOne 可以检测这根网"
        "线（交换机 {switch}，端口 {port}）。",
    Text.FULL: "{name}：线路已占满。端口没有故障：请查看谁在占用（交换机 {switch}，端口 {port}）"
        "。",
    Text.LOSS: "{name}：端口正常，丢包发生在端口之外：请联系运营商或检查后面的设备（交换机 {switc"
        "h}，端口 {port}）。",
    Text.NAMES: "{name}：域名无法解析（DNS）；端口正常，请检查 DNS 服务器。",
    Text.BOARD: "{name}：端口正常，但班牌没有反应：请到{room}看它是否开机、程序是否运行。",
    Text.SHADOWED: "{name}：受其他故障影响（{why}）；先处理那个故障。",
    Text.MEASURE: "{name}：修复已尝试，但故障仍在；TenOne 可以检测网线，判断该带什么备件"
        "（交换机 {switch}，端口 {port}）。",
    Text.CARRY: "{name}：软件无法修复，尝试过的修复没有持久效果。请带跳线到 {room} 和交换机 "
        "{switch} 的端口 {port}，先更换两端跳线。",
    Text.CARRY_PAIR: "{name}：网线的 {pair} 线对{state}：请带跳线到 {room} 和交换机 {switch} 的端口"
        " {port}。",
    Text.CARRY_PAIR_AT: "{name}：网线的 {pair} 线对在距交换机 {metres} 米处{state}（交换机 "
        "{switch}，端口 {port}）。请先检查该处：靠近交换机的几米是机房跳线，末端几米是{room}的跳"
        "线，中间是墙内布线。",
    Text.CABLE_WELL: "{name}：网线正常，修复没有效果：请检查{room}设备的网卡（交换机 {switch}，端"
        "口 {port}）。",
    Text.PERSON: "{name}：端口既不是原来的状态，也不是想要的状态：请立即人工检查交换机 {switch} "
        "的端口 {port}。",
    Text.HINDERED: "{name}：TenOne 在这里无法修复：{why}（交换机 {switch}，端口 {port}）。",
})  # fmt: skip

CABLE_STATES: Mapping[str, tuple[str, str]] = MappingProxyType({
    "open": ("open", "断路"),
    "short": ("shorted", "短路"),
    "crosstalk": ("crossed with another pair", "串扰"),
    "mismatch": ("of the wrong impedance", "阻抗不匹配"),
})  # fmt: skip
"""``drivers.cli.dialect.CableState`` of what is broken, in words."""
STEPS: Mapping[RepairStep, tuple[str, str]] = MappingProxyType({
    RepairStep.BEGUN: ("Repair {action} begins: {intent}.", "修复 {action} 开始：{intent}。"),
    RepairStep.APPLIED: (
        "Repair {action}: the switch took all lines.",
        "修复 {action}：交换机已接受全部命令。",
    ),
    RepairStep.GOOD: (
        "Repair {action}: good for the first time, no proof yet.",
        "修复 {action}：首次恢复正常，尚未证实。",
    ),
    RepairStep.PROVED: (
        "Repair {action}: still good after the hold.",
        "修复 {action}：观察期后仍然正常。",
    ),
    RepairStep.DONE: ("Repair {action}: done.", "修复 {action}：完成。"),
    RepairStep.UNDOING: (
        "Repair {action}: it did not help, the way back begins.",
        "修复 {action}：没有效果，开始撤回。",
    ),
    RepairStep.UNDONE: (
        "Repair {action}: taken back, the switch is as before.",
        "修复 {action}：已撤回，交换机恢复原状。",
    ),
    RepairStep.STUCK: (
        "Repair {action}: neither as before nor as wanted: a person has to look, now.",
        "修复 {action}：既未恢复原状也未达到目标：请立即人工检查。",
    ),
    RepairStep.ENDED: (
        "Repair {action}: its time is over, the switch is as before.",
        "修复 {action}：时间已到，交换机恢复原状。",
    ),
})  # fmt: skip
"""What an incident's timeline says of each step."""
PROVED = (
    (
        "Repair {action}: proved: the link has been good for {hold} s by the controller's own "
        "verdict, {seconds} s after it went bad."
    ),
    "修复 {action}：已证实：控制器自己的判断已连续 {hold} 秒正常，距故障 {seconds} 秒。",
)
UNPROVED = (
    "Repair {action}: the school says it is cured, and the link is not good: look at it.",
    "修复 {action}：学校端称已修复，但线路仍不正常：请检查。",
)
NO_PLAN = (
    "TenOne wanted to repair this ({intent}) and could not plan it: {why}",
    "TenOne 想修复（{intent}），但无法制定方案：{why}",
)
HELD = (
    "TenOne would repair this ({intent}) and is held back: {why}",
    "TenOne 可以修复（{intent}），但被保护规则阻止：{why}",
)
INTENTS_ZH: Mapping[str, str] = MappingProxyType({
    "restore-negotiation": "恢复自动协商",
    "bounce-port": "关闭再打开端口",
    "enable-port": "打开端口",
    "cycle-poe": "断电后恢复供电",
    "exam-priority": "考试优先",
    "quarantine": "隔离",
    "release": "解除隔离",
    "save-configuration": "保存配置",
    "cable-diagnosis": "检测网线",
})  # fmt: skip
MENDED = "The link is good again, so TenOne took its request back."
"""Why TenOne withdraws; pages know it in their own language (``dashboards.ops.repair_phrases``)."""
NO_ROOM = ("the room", "该教室")


def speed_words(mbps: int) -> str:
    """``100M``, ``1G``, ``2.5G``."""
    return f"{mbps / 1000:g}G" if mbps >= 1000 else f"{mbps}M"  # noqa: PLR2004 - 1000 Mb/s is 1 Gb/s


def say(text: Text, en: Mapping[str, str], zh: Mapping[str, str] | None = None) -> dict[str, str]:
    """Both languages; ``zh`` holds what is written differently in Chinese."""
    return {"en": EN[text].format(**en), "zh": ZH[text].format(**{**en, **(zh or {})})}


def both(pair: tuple[str, str], **values: str) -> dict[str, str]:
    """A pair of texts filled in; ``intent`` gets its Chinese name in Chinese."""
    english, chinese = pair
    intent = INTENTS_ZH.get(values.get("intent", ""), values.get("intent", ""))
    return {"en": english.format(**values), "zh": chinese.format(**{**values, "intent": intent})}
