//! Expressions of a template, worked out as far as that is cheap.

use hcl::eval::{Context, Evaluate as _};
use hcl::expr::{ObjectKey, TemplateExpr, TraversalOperator};
use hcl::template::{Directive, Element, Template};
use hcl::{Expression, Operation, Value};

/// Longest expression that may use variables, and longest value it may use: a few bytes that name a
/// large value again and again would fill the memory.
const MAX_BYTES: usize = 16 << 10;

/// What an expression says by itself.
///
/// # Errors
/// Says what it needs, or that it holds a loop: loops in loops take years, and only Terraform can
/// be ended meanwhile.
pub(in crate::provision) fn alone(expression: &Expression) -> Result<Value, String> {
    evaluated(expression, &Context::new())
}

/// What an expression says with these values.
///
/// # Errors
/// As [`alone`], or that it is too long.
pub(in crate::provision) fn with(
    expression: &Expression,
    context: &Context<'_>,
) -> Result<Value, String> {
    if expression.to_string().len() > MAX_BYTES {
        return Err(format!("longer than {MAX_BYTES} bytes"));
    }
    evaluated(expression, context)
}

/// Whether a value is short enough to be used in other expressions.
pub(in crate::provision) fn is_short(text: &str) -> bool {
    text.len() <= MAX_BYTES
}

fn evaluated(expression: &Expression, context: &Context<'_>) -> Result<Value, String> {
    if loops(expression) {
        return Err("a loop".to_owned());
    }
    expression.evaluate(context).map_err(|e| e.to_string())
}

/// Whether there is a loop anywhere in it.
fn loops(expression: &Expression) -> bool {
    match expression {
        Expression::Array(all) => all.iter().any(loops),
        Expression::Object(fields) => fields.iter().any(|(key, value)| {
            loops(value) || matches!(key, ObjectKey::Expression(key) if loops(key))
        }),
        Expression::TemplateExpr(text) => quoted(text),
        Expression::Traversal(path) => {
            let index =
                |o: &TraversalOperator| matches!(o, TraversalOperator::Index(i) if loops(i));
            loops(&path.expr) || path.operators.iter().any(index)
        }
        Expression::FuncCall(call) => call.args.iter().any(loops),
        Expression::Parenthesis(inner) => loops(inner),
        Expression::Conditional(c) => {
            [&c.cond_expr, &c.true_expr, &c.false_expr].into_iter().any(loops)
        }
        Expression::Operation(operation) => match &**operation {
            Operation::Unary(one) => loops(&one.expr),
            Operation::Binary(two) => loops(&two.lhs_expr) || loops(&two.rhs_expr),
        },
        Expression::Null
        | Expression::Bool(_)
        | Expression::Number(_)
        | Expression::String(_)
        | Expression::Variable(_) => false,
        // What comes into the language later is Terraform's, too.
        Expression::ForExpr(_) | _ => true,
    }
}

/// A text that cannot be read is none that is worked out.
fn quoted(text: &TemplateExpr) -> bool {
    Template::from_expr(text).is_ok_and(|template| repeats(&template))
}

fn repeats(template: &Template) -> bool {
    template.elements().iter().any(|element| match element {
        Element::Literal(_) => false,
        Element::Interpolation(inner) => loops(&inner.expr),
        Element::Directive(directive) => match &**directive {
            Directive::If(choice) => {
                loops(&choice.cond_expr)
                    || repeats(&choice.true_template)
                    || choice.false_template.as_ref().is_some_and(repeats)
            }
            Directive::For(_) => true,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Result<Value, String> {
        alone(&text.parse::<Expression>().unwrap())
    }

    #[test]
    fn what_has_no_loop_is_worked_out() {
        assert_eq!(said("[1, { a = \"x ${1 + 2}\" }][1].a"), Ok("x 3".into()));
        assert_eq!(said("true ? \"for x in y\" : 0"), Ok("for x in y".into()));
        assert!(said("var.a").unwrap_err().contains("undefined"));
    }

    #[test]
    fn loops_are_left_to_terraform_wherever_they_are() {
        let nested = format!("{}x{}", "[for x in [1, 2] : ".repeat(40), "]".repeat(40));
        for text in [
            nested.as_str(),
            "{ for k, v in {} : k => v }",
            "[{ a = [for x in [] : x] }]",
            "\"a %{ for x in [1] }b%{ endfor }\"",
            "\"%{ if true }${[for x in [] : x]}%{ endif }\"",
            "{ ([for x in [\"a\"] : x][0]) = 1 }",
            "(1 + [1][[for x in [0] : x][0]])",
            "f([for x in [] : x])",
        ] {
            assert_eq!(said(text), Err("a loop".to_owned()), "{text}");
        }
    }

    #[test]
    fn a_value_is_not_named_again_and_again() {
        let mut context = Context::new();
        context.declare_var("a", "x".repeat(MAX_BYTES));
        let with = |n: usize| {
            let text = format!("\"{}\"", "${a}".repeat(n));
            with(&text.parse().unwrap(), &context).map(|v| v.as_str().unwrap().len())
        };
        assert_eq!(with(3), Ok(3 * MAX_BYTES));
        assert!(with(MAX_BYTES).unwrap_err().contains("longer than"));
    }
}
