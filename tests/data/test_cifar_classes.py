from convatlas.data.cifar_classes import CIFAR10, CIFAR100


def test_the_fine_classes_are_in_alphabetical_order() -> None:
    assert len(set(CIFAR100)) == 100
    assert list(CIFAR100) == sorted(CIFAR100)


def test_the_ten_classes_are_in_alphabetical_order() -> None:
    assert len(set(CIFAR10)) == 10
    assert list(CIFAR10) == sorted(CIFAR10)
