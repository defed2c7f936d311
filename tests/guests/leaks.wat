;; Takes another MiB of memory at every call and keeps it; traps when there is none. Has no opinion on any host.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge") (param i32 i32 i32) (result i32)
    (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1))
      (then unreachable))
    (i32.const 0)))
