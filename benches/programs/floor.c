/* The least that an upcall can cost: answers the key with a constant, by system calls alone. No C library. */

#define KEYCTL 250
#define EXIT 231

static long call(long n, long a, long b, long c, long d, long e)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((used)) static void answer(long *stack)
{
	const char *text = (const char *)stack[3];
	long key = 0;

	while (*text >= '0' && *text <= '9')
		key = key * 10 + (*text++ - '0');
	call(KEYCTL, 16, key, 0, 0, 0);
	call(KEYCTL, 15, key, 60, 0, 0);
	call(KEYCTL, 12, key, (long)"192.0.2.1", 10, 0);
	call(EXIT, 0, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tcall answer\n");
