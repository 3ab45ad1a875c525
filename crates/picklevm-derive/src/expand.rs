//! Generates the implementations of `PickleClass`, `FromValue` and `ToValue`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Ident, Lifetime, Type, parse_quote};

use crate::class::{Class, State};
use crate::enumeration::{Enum, Value};
use crate::field::{Attr, Default, Field, With};
use crate::model::Model;

/// Returns the implementations for an enum.
pub(crate) fn expand_enum(model: &Enum) -> TokenStream {
    let Enum { ident, krate, class: def_of, members } = model;
    let class = quote!(#krate::class);
    let def = class_def(def_of, &class);
    let count = members.len();
    let described = members.iter().map(|member| {
        let name = &member.name;
        match &member.value {
            None => quote!(#class::Member::by_name(#name)),
            Some(Value::Int(value)) => quote!(#class::Member::int(#name, #value as i64)),
            Some(Value::Str(value)) => quote!(#class::Member::str(#name, #value)),
        }
    });
    let of_number = members.iter().enumerate().map(|(at, member)| {
        let variant = &member.variant;
        if at + 1 == count { quote!(_ => Self::#variant) } else { quote!(#at => Self::#variant) }
    });
    let to_number = members.iter().enumerate().map(|(at, member)| {
        let variant = &member.variant;
        quote!(Self::#variant => #at)
    });
    let to_number = quote!(let number: usize = match self { #(#to_number),* };);
    let members = quote! {
        const CLASS: #class::ClassDef = #def;
        const MEMBERS: [#class::Member; #count] = [#(#described),*];
    };
    quote! {
        #[automatically_derived]
        impl<'g> #class::FromValue<'g> for #ident {
            fn from_value(value: #krate::Value<'g>, context: &mut #class::ReadContext<'g>) -> #krate::Result<Self> {
                #members
                ::core::result::Result::Ok(match context.member(value, &CLASS, &MEMBERS)? { #(#of_number),* })
            }
        }

        #[automatically_derived]
        impl #class::ToValue for #ident {
            fn to_value(&self, context: &mut #class::WriteContext<'_>) -> #krate::Result<#krate::Id> {
                #members
                #to_number
                context.write_member(&CLASS, &MEMBERS[number])
            }

            fn to_ops(&self, out: #class::OpWriter<'_, '_>) -> #krate::Result<#class::Position> {
                #members
                #to_number
                out.enum_member(const { &CLASS }, &const { &MEMBERS }[number])
            }
        }
    }
}

pub(crate) fn expand(model: &Model) -> TokenStream {
    let Model { ident, krate, .. } = model;
    let class = quote!(#krate::class);
    let written = bound(model, model.generics.clone(), &quote!(#class::ToValue));
    let (impl_generics, ty_generics, where_clause) = written.split_for_impl();
    // The lifetime of the graph, which those of the fields cannot outlive.
    let lifetime = Lifetime::new("'__graph", Span::call_site());
    let mut read = bound(model, written.clone(), &quote!(#class::FromValue<#lifetime>));
    for borrowed in model.generics.lifetimes() {
        let borrowed = &borrowed.lifetime;
        read.make_where_clause().predicates.push(parse_quote!(#lifetime: #borrowed));
    }
    read.params.insert(0, parse_quote!(#lifetime));
    let (read_generics, _, read_clause) = read.split_for_impl();
    let (def, from_object, to_object) = (def(model, &class), from_object(model, &class), to_object(model, &class));
    let to_ops = to_ops(model, &class);
    quote! {
        #[automatically_derived]
        impl #impl_generics #krate::PickleClass for #ident #ty_generics #where_clause {
            const CLASS: #class::ClassDef = #def;

            fn to_object(&self, object: &mut #class::ObjectWriter<'_, '_>) -> #krate::Result<()> {
                #to_object
            }
        }

        #[automatically_derived]
        impl #read_generics #class::FromObject<#lifetime> for #ident #ty_generics #read_clause {
            fn from_object(object: &mut #class::ObjectReader<'_, #lifetime>) -> #krate::Result<Self> {
                #from_object
            }
        }

        #[automatically_derived]
        impl #read_generics #class::FromValue<#lifetime> for #ident #ty_generics #read_clause {
            fn from_value(
                value: #krate::Value<#lifetime>,
                context: &mut #class::ReadContext<#lifetime>,
            ) -> #krate::Result<Self> {
                context.object(value)
            }
        }

        #[automatically_derived]
        impl #impl_generics #class::ToValue for #ident #ty_generics #where_clause {
            fn to_value(&self, context: &mut #class::WriteContext<'_>) -> #krate::Result<#krate::Id> {
                context.object(self)
            }

            #to_ops
        }
    }
}

/// Adds a bound to each type parameter.
fn bound(model: &Model, mut generics: Generics, bound: &TokenStream) -> Generics {
    for parameter in model.generics.type_params() {
        let parameter = &parameter.ident;
        generics.make_where_clause().predicates.push(parse_quote!(#parameter: #bound));
    }
    generics
}

fn def(model: &Model, class: &TokenStream) -> TokenStream {
    class_def(&model.class, class)
}

fn class_def(of: &Class, class: &TokenStream) -> TokenStream {
    let (module, name) = (&of.module, &of.name);
    if of.dict {
        return quote!(#class::ClassDef::dict(#name));
    }
    let mut def = quote!(#class::ClassDef::new(#module, #name));
    let variant = |name: &str| Ident::new(name, Span::call_site());
    if !of.aliases.is_empty() {
        let aliases = of.aliases.iter().map(|(module, name)| quote!((#module, #name)));
        def.extend(quote!(.alias(&[#(#aliases),*])));
    }
    let (state, base) = (variant(of.state.variant()), variant(of.base));
    def.extend(quote!(.state(#class::State::#state).base(#class::Base::#base)));
    if of.old_style {
        def.extend(quote!(.old_style()));
    }
    def
}

fn from_object(model: &Model, class: &TokenStream) -> TokenStream {
    let fields = model.fields.iter().map(|field| {
        let member = &field.member;
        let value = read(model, field, class);
        quote!(#member: #value)
    });
    match &model.setstate {
        Some(hook) => quote! {
            let mut this = Self { #(#fields),* };
            object.set_state(&mut this, #hook)?;
            ::core::result::Result::Ok(this)
        },
        None => quote! {
            let _ = &object;
            ::core::result::Result::Ok(Self { #(#fields),* })
        },
    }
}

/// Returns the place of a type, for errors. Names are looked up as in the derive: a type may come from a macro.
fn place_of(ty: &Type) -> Span {
    Span::call_site().located_at(ty.span())
}

/// Returns the expression that reads a field.
fn read(model: &Model, field: &Field, class: &TokenStream) -> TokenStream {
    let ty = &field.ty;
    let span = place_of(ty);
    if field.rest {
        let fields = model.fields.iter().filter(|field| field.is_named_attr()).map(|field| field.describe(class));
        return quote_spanned!(span=> object.rest(&const { [#(#fields),*] })?);
    }
    // `setstate` sets the fields in the state.
    let by_hook = model.setstate.is_some() && field.is_only_attr();
    let default = match &field.default {
        Some(Default::Of(path)) => Some(quote!(#path)),
        Some(Default::OfType) => Some(quote_spanned!(span=> <#ty as ::core::default::Default>::default)),
        None if by_hook => Some(quote_spanned!(span=> <#ty as ::core::default::Default>::default)),
        None => None,
    };
    if let Some(default) = default.as_ref().filter(|_| by_hook || field.is_skipped()) {
        return quote!(#default());
    }
    let described = field.describe(class);
    if field.base.is_some() {
        return quote_spanned!(span=> object.get_base::<#ty>(&const { #described })?);
    }
    match (default, field.function("from_value", class)) {
        (None, None) => quote_spanned!(span=> object.get::<#ty>(&const { #described })?),
        (Some(default), None) => quote_spanned!(span=> object.get_or::<#ty>(&const { #described }, #default)?),
        (None, Some(with)) => quote!(object.get_with::<#ty>(&const { #described }, #with)?),
        (Some(default), Some(with)) => quote!(object.get_or_with::<#ty>(&const { #described }, #default, #with)?),
    }
}

fn to_object(model: &Model, class: &TokenStream) -> TokenStream {
    // `getstate` returns the whole state.
    let is_left_out = |field: &Field| field.is_skipped() || (model.getstate.is_some() && field.is_only_attr());
    let fields = model.fields.iter().filter(|field| !is_left_out(field)).map(|field| {
        let (member, ty, described) = (&field.member, &field.ty, field.describe(class));
        if field.rest {
            return quote_spanned!(place_of(ty)=> object.put_rest(&self.#member)?;);
        }
        match field.function("to_value", class) {
            None => quote_spanned!(place_of(ty)=> object.put::<#ty>(&const { #described }, &self.#member)?;),
            Some(with) => quote!(object.put_with::<#ty>(&const { #described }, &self.#member, #with)?;),
        }
    });
    let state = model.getstate.as_ref().map(|hook| quote!(object.set_state(&#hook(self))?;));
    quote! {
        let _ = &object;
        #(#fields)*
        #state
        ::core::result::Result::Ok(())
    }
}

/// Returns the method that writes opcodes, unless the class needs a graph: for functions that make values there, for values
/// in two places, and for what is rare.
fn to_ops(model: &Model, class: &TokenStream) -> Option<TokenStream> {
    let Model { krate, class: of, .. } = model;
    let is_rare = |field: &Field| {
        let place = &field.place;
        let has_one_place = place.arg.is_some() != place.attr.is_some() && !place.kwarg;
        field.with.is_some() || !(has_one_place || field.is_skipped())
    };
    if of.old_style || model.getstate.is_some() || model.fields.iter().any(is_rare) {
        return None;
    }
    let is_slot = |attr| matches!(attr, Attr::Slot) || of.state == State::Slots;
    let fields = |is_in: &dyn Fn(&Field) -> bool| model.fields.iter().filter(|field| is_in(field)).collect::<Vec<_>>();
    let args = fields(&|field| field.place.arg.is_some());
    let own = fields(&|field| field.place.attr.is_some_and(|attr| !is_slot(attr)));
    let slots = fields(&|field| field.place.attr.is_some_and(is_slot));
    let attributes = || quote!(begin_state_dict);
    let def = quote!(const { &<Self as #krate::PickleClass>::CLASS });
    let args = match args[..] {
        [] => quote!(out.no_args(#def)?;),
        _ => part(&args, &quote!(begin_args), &quote!(#def,)),
    };
    let state = |fields: &[&Field], begin| part(fields, &begin, &quote!());
    let (parts, count): (_, usize) = match of.state {
        _ if of.dict => (state(&own, attributes()), 0),
        State::Tuple => (state(&own, quote!(begin_state_tuple)), 1),
        State::List => (state(&own, quote!(begin_state_list)), 1),
        State::Dict | State::Slots if slots.is_empty() && own.is_empty() => (quote!(), 0),
        State::Dict | State::Slots if slots.is_empty() => (state(&own, attributes()), 1),
        State::Dict | State::Slots => {
            let own = if own.is_empty() { quote!(out.none()?;) } else { state(&own, attributes()) };
            let slots = state(&slots, attributes());
            (quote!(#own #slots), 2)
        }
    };
    let args = (!of.dict).then_some(args);
    Some(quote! {
        #[inline]
        fn to_ops(&self, mut out: #class::OpWriter<'_, '_>) -> #krate::Result<#class::Position> {
            out.begin()?;
            #args
            #parts
            out.end(#count)
        }
    })
}

/// Returns the statements that write a part of an instance, given the method that begins it and what that gets before the number
/// of fields.
fn part(fields: &[&Field], begin: &TokenStream, arguments: &TokenStream) -> TokenStream {
    let count = fields.len();
    let items = fields.iter().map(|field| {
        let Field { member, ty, name, .. } = field;
        match field.is_named_attr() {
            true => quote_spanned!(place_of(ty)=> out.attribute::<#ty>(&mut items, #name, &self.#member)?;),
            false => quote_spanned!(place_of(ty)=> out.item::<#ty>(&mut items, &self.#member)?;),
        }
    });
    quote! {
        let mut items = out.#begin(#arguments #count)?;
        #(#items)*
        out.end_items(items)?;
    }
}

impl Field {
    /// Returns the function of this name that replaces the trait method, if `with` or `serde` is given.
    fn function(&self, name: &str, class: &TokenStream) -> Option<TokenStream> {
        let name = Ident::new(name, Span::call_site());
        match self.with.as_ref()? {
            With::Module(module) => Some(quote!(#module::#name)),
            With::Serde => Some(quote!(#class::serde::#name)),
        }
    }
}
