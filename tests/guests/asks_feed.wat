;; Blocks hosts that the feed `local` lists, and fails with what the proxy says if there is no such feed for it.
(module
  (import "portcullis:filter/feeds@0.1.0" "lookup" (func $lookup (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "local")
  ;; At 16: ok(block { status: 403, reason: "local" }). At 48: ok(next), or err(..).
  (data (i32.const 16) "\00\00\00\00\02\00\00\00\93\01\00\00\08\00\00\00\05\00\00\00")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@0.1.0#judge")
    (param $host i32) (param $length i32) (param i32 i32) (result i32)
    ;; The answer at 80: result<option<string>, string>.
    (call $lookup (i32.const 8) (i32.const 5) (local.get $host) (local.get $length) (i32.const 80))
    (if (i32.load8_u (i32.const 80))
      (then
        (i32.store8 (i32.const 48) (i32.const 1))
        (i64.store (i32.const 52) (i64.load (i32.const 84)))
        (return (i32.const 48))))
    (if (i32.load8_u (i32.const 84))
      (then (return (i32.const 16))))
    (i64.store (i32.const 48) (i64.const 0))
    (i32.const 48)))
