;; Blocks hosts that begin with `y` for a reason of 512 KiB, with `x` for one of 2 MiB; has no opinion on others.
(module
  (memory (export "memory") 130)
  ;; At 16: ok(block { status: 403, reason: .. }), the reason being what follows.
  (data (i32.const 16) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\93\01\00\00\00\00\01\00")
  (func $blocks (param $bytes i32) (result i32)
    (i32.store (i32.const 40) (local.get $bytes))
    (memory.fill (i32.const 0x10000) (i32.const 0x72) (local.get $bytes))
    (i32.const 16))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x79)) ;; y
      (then (return (call $blocks (i32.const 0x80000)))))
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then (return (call $blocks (i32.const 0x200000)))))
    (i32.const 0)))
