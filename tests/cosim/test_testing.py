"""The contracts themselves."""

from collections import Counter

from cosim.testing import BackendContract


def test_no_topic_of_the_contract_hides_a_test_of_another():
    topics = BackendContract.__mro__[1:-1]
    names = Counter(name for topic in topics for name in vars(topic) if name.startswith("test_"))
    assert [name for name, n in names.items() if n > 1] == []
