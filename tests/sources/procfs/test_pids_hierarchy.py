from pathlib import Path

import pytest

from pausewatch.sources.procfs.pids_hierarchy import PidsHierarchy, directory_of, own_ancestors, parse

V1 = "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
MEMORY = "36 31 0:33 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
V2 = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 master:1 - cgroup2 cgroup2 rw,nsdelegate\n"
POD = "/kubepods/burstable/pod2595976c-bc45-40c5-b56f-faaf68d2f9c4"


def hierarchy(root: str = "/", controller: str = "") -> PidsHierarchy:
    """Return a mount."""
    return PidsHierarchy(mount_point="/sys/fs/cgroup", root=root, controller=controller)


class TestParse:
    """Mountinfo has optional fields in the middle; the type of the file system is behind the dash."""

    def test_version_1_has_the_controller_where_it_is_mounted(self) -> None:
        """On a hybrid node version 2 is mounted without it."""
        expected = PidsHierarchy(mount_point="/sys/fs/cgroup/pids", root="/", controller="pids")

        assert parse(V2 + MEMORY + V1) == expected

    def test_version_2_alone(self) -> None:
        """As on most nodes; controllers of version 1 without pids change nothing."""
        expected = PidsHierarchy(mount_point="/sys/fs/cgroup/unified", root="/", controller="")

        assert parse(MEMORY + V2) == expected

    def test_first_of_several_mounts_counts(self) -> None:
        """Containers' own ones are seen by a runtime too."""
        found = parse(V2 + V2.replace("/ /sys/fs/cgroup/unified", "/kubepods /run/other"))

        assert found is not None
        assert found.mount_point == "/sys/fs/cgroup/unified"

    @pytest.mark.parametrize("character", ["\r", "\v", "\x1e", "\x85", "\u2028", "\xa0"])
    def test_name_of_a_mount_point_forges_no_line(self, character: str) -> None:
        """The kernel escapes space and newline in it, and no other character that ends a line or a word elsewhere."""
        forged = character.join(("/mnt/x", "1", "1", "0:1", "/", "/forged", "rw"))
        mount = f"40 31 0:37 / {forged}{character}-{character}cgroup{character}x{character}pids rw - tmpfs tmpfs rw\n"

        assert parse(mount) is None
        assert parse(mount + V1) == parse(V1)

    @pytest.mark.parametrize("separator", ["\r", "\v", "\x1c", "\x85", "\u2028"])
    def test_path_of_a_mount_can_not_forge_a_line(self, separator: str) -> None:
        """The kernel escapes spaces and newlines in it, and nothing else that Python takes for one."""
        forged = V1.replace(" ", separator).strip()
        mount = f"50 31 0:40 / /run/x{separator}{forged} rw - tmpfs tmpfs rw\n"

        assert parse(mount) is None
        assert parse(mount + V2) == parse(V2)

    @pytest.mark.parametrize("text", ["", MEMORY, "nonsense\n", "1 2 3 - cgroup2\n"])
    def test_none(self, text: str) -> None:
        """Nothing is invented."""
        assert parse(text) is None


class TestDirectory:
    """From the reader's point of view to the file system of the runtime."""

    def test_on_the_node_itself(self) -> None:
        """Both start at the root."""
        assert directory_of(hierarchy(), f"0::{POD}/c1\n", ()) == f"{POD}/c1"
        assert directory_of(hierarchy(controller="pids"), f"8:pids:{POD}/c1\n0::/\n", ()) == f"{POD}/c1"

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/", "/kubepods/burstable/podA/agent"),
            ("/../../podB/c1", "/kubepods/burstable/podB/c1"),
            ("/../../../besteffort/podC/c2", "/kubepods/besteffort/podC/c2"),
            ("/../../../../system.slice/kubelet.service", "/system.slice/kubelet.service"),
        ],
    )
    def test_in_a_cgroup_namespace_of_our_own(self, path: str, expected: str) -> None:
        """As the agent's container has it on version 2."""
        ancestors = ("kubepods", "burstable", "podA", "agent")

        assert directory_of(hierarchy("/../../../.."), f"0::{path}\n", ancestors) == expected

    def test_part_of_the_tree_is_mounted(self) -> None:
        """The node is a container itself (kind), and we are outside of it."""
        node = hierarchy("/docker/n1")

        assert directory_of(node, f"0::/docker/n1{POD}/c1\n", ()) == f"{POD}/c1"
        assert directory_of(node, f"0::/docker/n2{POD}/c1\n", ()) is None

    def test_deleted_cgroup_keeps_its_path(self) -> None:
        """A zombie may outlive it."""
        assert directory_of(hierarchy(), f"0::{POD}/c1 (deleted)\n", ()) == f"{POD}/c1"

    @pytest.mark.parametrize("text", ["", "8:pids:/x\n", "garbage"])
    def test_not_told(self, text: str) -> None:
        """Another hierarchy's path is no substitute."""
        assert directory_of(hierarchy(), text, ()) is None

    def test_outside_of_what_is_mounted(self) -> None:
        """Nobody can read there."""
        assert directory_of(hierarchy("/.."), "0::/../../podB/c1\n", ("agent",)) is None


class TestOwnAncestors:
    """The one fact that no file tells: which directories lead to our own cgroup."""

    def test_are_found_by_the_inode_number(self, tmp_path: Path) -> None:
        """It is the same in every mount of the hierarchy."""
        for name in ("system.slice/a.service", "kubepods/podA/agent", "kubepods/podB/agent"):
            (tmp_path / name).mkdir(parents=True)
        (tmp_path / "kubepods" / "cgroup.procs").touch()
        inode = (tmp_path / "kubepods" / "podB" / "agent").stat().st_ino

        found = own_ancestors(hierarchy("/../../.."), str(tmp_path), inode)

        assert found == ("kubepods", "podB", "agent")

    def test_nothing_without_a_namespace_of_our_own(self, tmp_path: Path) -> None:
        """The usual scan by hand: no directory is listed."""
        assert own_ancestors(hierarchy(), str(tmp_path / "missing"), 1) == ()

    def test_not_found(self, tmp_path: Path) -> None:
        """Another tree, or one that is gone by now."""
        (tmp_path / "kubepods").mkdir()

        assert own_ancestors(hierarchy("/.."), str(tmp_path), 1) is None
        assert own_ancestors(hierarchy("/.."), str(tmp_path / "missing"), 1) is None
