;; Built for contract 1.0.0, with every hook. Blocks hosts that begin with `b`, methods that begin
;; with `P` and the status 500; counts ends of exchanges, and wants to work every minute.
(module
  (import "portcullis:filter/answer@1.0.0" "keep" (func $keep (param i64)))
  (import "portcullis:filter/metrics@1.0.0" "count"
    (func $count (param i32 i32 i64 i32 i32)))
  (import "portcullis:filter/notes@1.0.0" "set" (func $note (param i32 i32 i32 i32)))
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 4096))

  ;; An `ok` of every hook's result, and a verdict `next`, are zeros: they lie at 0.
  ;; At 64, a `block` with status 403 and the reason at 256.
  (data (i32.const 64) "\00\00\00\00\00\00\00\00\02\00\00\00\00\00\00\00\93\01\00\00\00\01\00\00\04\00\00\00")
  ;; At 128, the error of `init`.
  (data (i32.const 128) "\01\00\00\00\04\01\00\00\0c\00\00\00")
  ;; At 192, `some(60000)`.
  (data (i32.const 192) "\00\00\00\00\00\00\00\00\01\00\00\00\00\00\00\00\60\ea\00\00\00\00\00\00")
  (data (i32.const 256) "keptno object{ended")

  ;; What the proxy hands over, in a ring.
  (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
    (local $at i32)
    (if (i32.gt_u (i32.add (global.get $free) (local.get $size)) (i32.const 120000))
      (then (global.set $free (i32.const 4096))))
    (local.set $at (global.get $free))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))

  (func $block_if (param i32) (result i32)
    (select (i32.const 64) (i32.const 0) (local.get 0)))

  (func (export "portcullis:filter/lifecycle@1.0.0#init") (param $config i32) (param i32) (result i32)
    (select (i32.const 0) (i32.const 128)
      (i32.eq (i32.load8_u (local.get $config)) (i32.const 0x7b)))) ;; {

  (func (export "portcullis:filter/judge-host@1.0.0#judge")
    (param $host i32) (param $length i32) (param i32) (result i32)
    (call $keep (i64.const 1000))
    ;; The host, as a note of the name `ended`.
    (call $note (i32.const 270) (i32.const 5) (local.get $host) (local.get $length))
    (call $block_if (i32.eq (i32.load8_u (local.get $host)) (i32.const 0x62)))) ;; b

  (func (export "portcullis:filter/judge-request@1.0.0#judge")
    (param $method i32) (param i32 i32 i32) (result i32)
    (call $block_if (i32.eq (i32.load8_u (local.get $method)) (i32.const 0x50)))) ;; P

  (func (export "portcullis:filter/judge-response@1.0.0#judge") (param $status i32) (result i32)
    (call $block_if (i32.eq (local.get $status) (i32.const 500))))

  (func (export "portcullis:filter/exchange-ended@1.0.0#ended") (result i32)
    (call $count (i32.const 270) (i32.const 5) (i64.const 1) (i32.const 0) (i32.const 0))
    (i32.const 0))

  (func (export "portcullis:filter/tick@1.0.0#tick") (result i32)
    (i32.const 192)))
