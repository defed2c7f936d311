;; Blocks hosts that begin with `x` with the status 200; has no opinion on others.
(module
  (memory (export "memory") 1)
  ;; At 16: ok(block { status: 200, reason: the 4 bytes at 64 }).
  (data (i32.const 16) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\c8\00\00\00\40\00\00\00\04\00\00\00")
  (data (i32.const 64) "fine")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x78)) ;; x
      (then (return (i32.const 16))))
    (i32.const 0)))
