;; Built for contract 1.0.0, with one hook and without `init`. Hosts that begin with `l` are for
;; users alone, a verdict that is kept; others may be asked for twice a minute, which it counts in
;; its state.
(module
  (import "portcullis:filter/answer@1.0.0" "keep" (func $keep (param i64)))
  (import "portcullis:filter/client@1.0.0" "user" (func $user (param i32)))
  (import "portcullis:filter/state@1.0.0" "increment"
    (func $increment (param i32 i32 i64 i32 i64 i32)))
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 4096))

  ;; A verdict `next` is zeros: it lies at 0.
  ;; At 64, a `block` with status 429 and the reason at 256; at 96, one with 403 and that at 265.
  (data (i32.const 64) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\ad\01\00\00\00\01\00\00\09\00\00\00")
  (data (i32.const 96) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\93\01\00\00\09\01\00\00\0a\00\00\00")
  ;; At 128, an error with the text at 275.
  (data (i32.const 128) "\01\00\00\00\00\00\00\00\13\01\00\00\08\00\00\00")
  (data (i32.const 256) "too oftenusers onlyno count")

  ;; What the proxy hands over, in a ring.
  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (if (i32.gt_u (i32.add (global.get $free) (local.get $size)) (i32.const 120000))
      (then (global.set $free (i32.const 4096))))
    (local.set $at (global.get $free))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))

  (func $is_user (result i32)
    ;; `option<string>` at 512.
    (call $user (i32.const 512))
    (i32.load8_u (i32.const 512)))

  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param $length i32) (param i32) (result i32)
    (if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x6c)) ;; l
      (then
        (call $keep (i64.const 60000))
        (return (select (i32.const 0) (i32.const 96) (call $is_user)))))
    ;; `result<s64, state-error>` at 544; the count ends after a minute.
    (call $increment (local.get $host) (local.get $length)
      (i64.const 1) (i32.const 1) (i64.const 60000) (i32.const 544))
    (if (i32.load8_u (i32.const 544)) (then (return (i32.const 128))))
    (select (i32.const 64) (i32.const 0)
      (i64.gt_s (i64.load (i32.const 552)) (i64.const 2)))))
