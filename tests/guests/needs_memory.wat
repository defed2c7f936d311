;; Takes 32 MiB more for hosts that begin with `x` and traps without; has no opinion on any.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then (if (i32.eq (memory.grow (i32.const 512)) (i32.const -1))
        (then unreachable))))
    (i32.const 0)))
