#include "process/syscall_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace autodidact::process {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "process: no system call filter for this architecture"
#endif

constexpr std::uint32_t kForeignNumbers = 0x40000000;  // of x86-64's x32
constexpr std::uint32_t kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

constexpr long kDenied[] = {
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsmount,
    SYS_fsconfig,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_swapon,
    SYS_swapoff,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_memfd_create,
    SYS_memfd_secret,
    SYS_shmget,
    SYS_shmat,
    SYS_msgget,
    SYS_semget,
    SYS_mq_open,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_fanotify_init,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_syslog,
    SYS_acct,
    SYS_quotactl,
    SYS_personality,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_vhangup,
    SYS_lookup_dcookie,
};

class Program {
 public:
  void Load(std::size_t offset) { Add(BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)); }
  void Return(std::uint32_t action) { Add(BPF_RET | BPF_K, 0, 0, action); }
  // The next `length` instructions are for the case only.
  void IfEqual(std::uint32_t value, std::uint8_t length) { Add(BPF_JMP | BPF_JEQ | BPF_K, 0, length, value); }
  void UnlessEqual(std::uint32_t value, std::uint8_t length) { Add(BPF_JMP | BPF_JEQ | BPF_K, length, 0, value); }
  void IfAtLeast(std::uint32_t value, std::uint8_t length) { Add(BPF_JMP | BPF_JGE | BPF_K, 0, length, value); }
  void IfAnyOf(std::uint32_t bits, std::uint8_t length) { Add(BPF_JMP | BPF_JSET | BPF_K, 0, length, bits); }

  std::string Bytes() const {
    return {reinterpret_cast<const char*>(instructions_.data()), instructions_.size() * sizeof(sock_filter)};
  }

 private:
  void Add(int code, std::uint8_t yes, std::uint8_t no, std::uint32_t value) {
    instructions_.push_back({static_cast<std::uint16_t>(code), yes, no, value});
  }

  std::vector<sock_filter> instructions_;
};

// The lower half of a system call's argument.
constexpr std::size_t Argument(std::size_t i) {
  return offsetof(seccomp_data, args) + i * sizeof(std::uint64_t);  // both architectures are little-endian
}

}  // namespace

std::string SystemCallFilter() {
  constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
  constexpr std::uint32_t kMissing = SECCOMP_RET_ERRNO | ENOSYS;
  Program program;
  program.Load(offsetof(seccomp_data, arch));
  program.UnlessEqual(kArchitecture, 1);
  program.Return(SECCOMP_RET_KILL_PROCESS);
  program.Load(offsetof(seccomp_data, nr));
  program.IfAtLeast(kForeignNumbers, 1);
  program.Return(kMissing);
  for (const long number : kDenied) {
    program.IfEqual(static_cast<std::uint32_t>(number), 1);
    program.Return(kRefuse);
  }
  // Its flags lie in memory, out of the filter's sight; the C library then uses clone.
  program.IfEqual(SYS_clone3, 1);
  program.Return(kMissing);
  program.IfEqual(SYS_clone, 4);
  program.Load(Argument(0));
  program.IfAnyOf(kNewNamespaces, 1);
  program.Return(kRefuse);
  program.Return(SECCOMP_RET_ALLOW);
  program.IfEqual(SYS_socket, 3);
  program.Load(Argument(0));
  program.UnlessEqual(AF_UNIX, 1);
  program.Return(kRefuse);
  program.Return(SECCOMP_RET_ALLOW);
  return program.Bytes();
}

}  // namespace autodidact::process
