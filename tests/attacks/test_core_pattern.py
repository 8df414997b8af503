"""/proc/sys/kernel/core_pattern names a program that the kernel runs as root on the host: no task may write it."""

SETTINGS = (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sysrq-trigger",
    "/proc/1/oom_score_adj",
    "/proc/self/oom_score_adj",
)


def test_no_setting_of_the_kernel_can_be_written(worker):
    outcome = worker.shell("".join(f"(echo x > {path}) 2>/dev/null && echo wrote {path};" for path in SETTINGS))
    assert outcome.said == ""


def test_there_is_no_sysfs_and_no_debugfs(worker):
    outcome = worker.shell("ls /sys /sys/kernel/debug /sys/fs/cgroup")
    assert outcome.said == ""


def test_what_the_kernel_says_about_the_machine_can_be_read(worker):
    assert worker.shell("grep -c MemTotal /proc/meminfo").stdout == ["1"]
