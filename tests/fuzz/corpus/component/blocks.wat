(module
  (func (param i32) (result i32) (local i32 i64 f32 f64)
    (block (block (loop (if (local.get 0) (then (br 1)) (else (br 2))))))
    (block $a (block $b (br_table $a $b $a (local.get 0))))
    (i32.const 1)))
