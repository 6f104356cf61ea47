// The stack switch. void cf_switch(void **save, void *load)
//
// `save` and `load` may name the same slot: `load` is read by the caller before the old value is overwritten.
// Only what the C ABI calls callee-saved is kept, because to the compiler this is an ordinary call. Swift's own
// registers are among them (self r13, async context r14 on x86-64; x20 and x22 on AArch64).

#if defined(__x86_64__)
    .text
    .globl cf_switch
    .hidden cf_switch
    .type cf_switch, @function
    .p2align 4
cf_switch:
    .cfi_startproc
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)           // SSE rounding and exception masks
    fnstcw 4(%rsp)           // x87 control word
    movq %rsp, (%rdi)        // park this side
    movq %rsi, %rsp          // become the other
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
    .size cf_switch, .-cf_switch

    .globl cf_trampoline
    .hidden cf_trampoline
    .type cf_trampoline, @function
cf_trampoline:
    .cfi_startproc
    .cfi_undefined rip       // unwinders stop here
    movq %r12, %rdi          // the fiber, placed by cf_fiber_prepare
    call cf_fiber_main
    ud2
    .cfi_endproc
    .size cf_trampoline, .-cf_trampoline

#elif defined(__aarch64__)
    .text
    .globl cf_switch
    .hidden cf_switch
    .type cf_switch, %function
    .p2align 4
cf_switch:
    .cfi_startproc
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]  // frame pointer, return address
    stp d8, d9, [sp, #96]    // the low halves of v8..v15 are callee-saved
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]             // park this side
    mov sp, x1               // become the other
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .cfi_endproc
    .size cf_switch, .-cf_switch

    .globl cf_trampoline
    .hidden cf_trampoline
    .type cf_trampoline, %function
cf_trampoline:
    .cfi_startproc
    .cfi_undefined x30       // unwinders stop here
    mov x0, x19              // the fiber, placed by cf_fiber_prepare
    bl cf_fiber_main
    brk #1
    .cfi_endproc
    .size cf_trampoline, .-cf_trampoline
#endif

    .section .note.GNU-stack, "", %progbits
