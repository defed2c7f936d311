;; Blocks every host for which it draws an odd number.
(module
  (import "portcullis:filter/random@1.0.0" "number" (func $number (result i64)))
  (memory (export "memory") 1)
  ;; At 16: ok(block { status: 403, reason: the 3 bytes at 64 }).
  (data (i32.const 16) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\93\01\00\00\40\00\00\00\03\00\00\00")
  (data (i32.const 64) "odd")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param i32 i32 i32) (result i32)
    (select (i32.const 16) (i32.const 0)
      (i64.ne (i64.and (call $number) (i64.const 1)) (i64.const 0)))))
