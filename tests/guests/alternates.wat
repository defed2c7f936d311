;; Blocks every other time that an instance is asked.
(module
  (memory (export "memory") 1)
  (global $odd (mut i32) (i32.const 0))
  ;; At 16: ok(block { status: 403, reason: the 5 bytes at 64 }).
  (data (i32.const 16) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\93\01\00\00\40\00\00\00\05\00\00\00")
  (data (i32.const 64) "again")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param i32 i32 i32) (result i32)
    (global.set $odd (i32.xor (global.get $odd) (i32.const 1)))
    (select (i32.const 0) (i32.const 16) (global.get $odd))))
