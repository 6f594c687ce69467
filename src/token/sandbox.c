/* Invariant: what was given up cannot be had back, not by setuid programs either. */
#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/secret.h"

#define GROUPS_MAX 1024

static bool
become(const struct passwd *entry, struct err *err)
{
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;
	if (getgrouplist(entry->pw_name, entry->pw_gid, groups, &count) < 0)
		return err_set(err, ERR_CONFIG, "The user %s has too many groups.", entry->pw_name);
	if (setgroups((size_t)count, groups) != 0 ||
		setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
		setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
		return err_errno(err, ERR_CONFIG, errno, "setresuid");
	return true;
}

static bool
change_user(const char *user, struct err *err)
{
	const struct passwd *entry = getpwnam(user); /* one thread as yet */
	if (entry == NULL)
		return err_set(err, ERR_CONFIG, "There is no user %s.", user);
	if (entry->pw_uid == geteuid())
		return true;
	if (geteuid() != 0)
		return err_set(err, ERR_CONFIG, "Only root can become %s.", user);
	return become(entry, err);
}

/* What no program started later could have either. Needs CAP_SETPCAP: before root is given up. */
static void
empty_bounding_set(void)
{
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
		capability++)
		(void)prctl(PR_CAPBSET_DROP, capability, 0, 0,
			0); /* not ours to drop unless root, who alone could use it */
}

static bool
drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	if (syscall(SYS_capset, &header, none) != 0)
		return err_errno(err, ERR_INTERNAL, errno, "capset");
	return true;
}

bool
sandbox_drop_privileges(const char *user, struct err *err)
{
	empty_bounding_set();
	if (user[0] != '\0' && !change_user(user, err))
		return false;
	if (!drop_capabilities(err))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(err, ERR_INTERNAL, errno, "prctl");
	/* changing the user resets both */
	secret_process_harden();
	(void)prctl(
		PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* end of file on the channel says the same */
	return true;
}

bool
sandbox_forbid_programs(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (filter == NULL)
		return err_set(err, ERR_INTERNAL, "libseccomp cannot make a filter.");
	static const int forbidden[] = {
		SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork)};
	int failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	for (size_t i = 0; i < ARRAY_LEN(forbidden) && failed == 0; i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0);
	/* a clone that is no thread; clone3 hides its flags, without it the C library takes clone */
	if (failed == 0)
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	if (failed == 0)
		failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (failed == 0)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	if (failed != 0)
		return err_errno(err, ERR_INTERNAL, -failed, "seccomp");
	return true;
}
