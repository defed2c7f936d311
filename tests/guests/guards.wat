;; Blocks hosts that begin with `b`, traps at those with `x`, computes for some milliseconds at
;; those with `s`; has no opinion on others.
(module
  (memory (export "memory") 1)
  ;; At 16: ok(block { status: 403, reason: the 4 bytes at 64 }).
  (data (i32.const 16) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\93\01\00\00\40\00\00\00\04\00\00\00")
  (data (i32.const 64) "here")
  (func $count (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 2_000_000)))))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param i32 i32) (result i32)
    (local $first i32)
    (local.set $first (i32.load8_u (local.get $host)))
    (if (i32.eq (local.get $first) (i32.const 0x78)) (then (unreachable)))
    (if (i32.eq (local.get $first) (i32.const 0x62)) (then (return (i32.const 16))))
    (if (i32.eq (local.get $first) (i32.const 0x73)) (then (call $count)))
    (i32.const 0)))
