"""The table of what may be changed on a switch."""

from tenone.vocabulary.intents import ALWAYS, MAY, MEANINGS, Indicator, Intent


def test_every_intent_says_what_it_means() -> None:
    assert set(MEANINGS) == set(Intent)
    for meaning in MEANINGS.values():
        assert not meaning.parameters & (ALWAYS | MAY)


def test_who_takes_an_inverse_back_comes_home() -> None:
    for intent, meaning in MEANINGS.items():
        if meaning.inverse is not None:
            assert MEANINGS[meaning.inverse].inverse is intent


def test_what_only_measures_changes_nothing() -> None:
    for meaning in MEANINGS.values():
        if meaning.indicator is Indicator.NONE:
            assert not meaning.configures


def test_cutting_a_device_off_takes_two_persons() -> None:
    assert [intent for intent in Intent if MEANINGS[intent].two_persons] == [Intent.QUARANTINE]
