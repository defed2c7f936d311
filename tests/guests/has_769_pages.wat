;; Uses 48 MiB of memory from its first call on. Has no opinion on any host.
(module
  (memory (export "memory") 769)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge") (param i32 i32 i32) (result i32)
    (memory.fill (i32.const 0x10000) (i32.const 1) (i32.const 0x3000000))
    (i32.const 0)))
